namespace Orchestrator.Cli.Commands.Progress;

/// <summary>One line per service: drawn over again on a terminal, written once per change elsewhere.</summary>
internal sealed class ProgressLines(Shell shell)
{
    private readonly Dictionary<string, string> _shown = new(StringComparer.Ordinal);
    private int _drawn;

    internal async Task ShowAsync(IReadOnlyList<ServiceProgress> services)
    {
        if (!services.Any(s => _shown.GetValueOrDefault(s.Name) != s.Text))
            return;
        var width = services.Count == 0 ? 0 : services.Max(s => s.Name.Length);
        if (shell.IsTerminal)
            await RedrawAsync(services, width);
        else
        {
            foreach (var service in services.Where(s => _shown.GetValueOrDefault(s.Name) != s.Text))
                await shell.Out.WriteLineAsync($"{service.Name.PadRight(width)}  {service.Text}");
        }
        foreach (var service in services)
            _shown[service.Name] = service.Text;
        await shell.Out.FlushAsync();
    }

    private async Task RedrawAsync(IReadOnlyList<ServiceProgress> services, int width)
    {
        // ECMA-48: CUU moves up, EL clears the line. Lines are cut so that none wraps and spoils the count.
        if (_drawn > 0)
            await shell.Out.WriteAsync($"\e[{_drawn}A");
        var columns = Math.Max(20, Console.WindowWidth - 1);
        foreach (var service in services)
        {
            var line = $"{Mark(service.Outcome)} {service.Name.PadRight(width)}  {service.Text}".ReplaceLineEndings(" ");
            await shell.Out.WriteAsync($"\r\e[K{Coloured(service.Outcome, line.Length > columns ? line[..(columns - 1)] + "…" : line)}\n");
        }
        _drawn = services.Count;
    }

    private static string Mark(Outcome outcome) => outcome switch { Outcome.Running => "✔", Outcome.Failed => "✘", _ => "…" };

    private string Coloured(Outcome outcome, string line) => shell.Environment.ContainsKey("NO_COLOR") ? line : outcome switch
    {
        Outcome.Running => $"\e[32m{line}\e[0m",
        Outcome.Failed => $"\e[31m{line}\e[0m",
        _ => line,
    };
}
