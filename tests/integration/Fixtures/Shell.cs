using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Orchestrator.Tests.Integration.Fixtures;

/// <summary>What a command printed and how it ended.</summary>
internal sealed record Ran(string Command, int ExitCode, string Output, string Error)
{
    internal Ran Succeeded() => ExitCode == 0 ? this : throw new InvalidOperationException($"{Command}: exit code {ExitCode}\n{Output}\n{Error}");
}

/// <summary>Runs programs of the machine, for looking at orch from outside.</summary>
internal static class Shell
{
    /// <summary>This moment for <c>--until</c>: the stock client sends <c>0s</c> as whole seconds, and so would miss what has just happened.</summary>
    internal static string Now => TimeProvider.System.GetUtcNow().ToString("O", CultureInfo.InvariantCulture);

    internal static async Task<Ran> RunAsync(string program, IReadOnlyList<string> arguments, string? input = null,
        IReadOnlyDictionary<string, string>? environment = null, TimeSpan? limit = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start");
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        if (input is not null)
            await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        using var deadline = new CancellationTokenSource(limit ?? TimeSpan.FromMinutes(2), TimeProvider.System);
        try
        {
            await process.WaitForExitAsync(deadline.Token);
        }
        catch (OperationCanceledException e)
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"{program} {string.Join(' ', arguments)} did not end in time: {await output}{await error}", e);
        }
        return new Ran($"{program} {string.Join(' ', arguments)}", process.ExitCode, await output, await error);
    }

    /// <summary>Asks again until the answer is there, with the last one in the message when it never comes.</summary>
    internal static async Task<T> EventuallyAsync<T>(string what, Func<Task<T>> ask, Func<T, bool> good, TimeSpan? limit = null)
    {
        var until = TimeProvider.System.GetTimestamp();
        var last = await ask();
        while (!good(last))
        {
            if (TimeProvider.System.GetElapsedTime(until) > (limit ?? TimeSpan.FromSeconds(60)))
                throw new TimeoutException($"{what} did not come true; last seen: {Show(last)}");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
            last = await ask();
        }
        return last;
    }

    private static string Show<T>(T value)
    {
        var text = new StringBuilder();
        if (value is System.Collections.IEnumerable items and not string)
        {
            foreach (var item in items)
                text.Append(item).Append(' ');
            return text.ToString();
        }
        return value?.ToString() ?? "nothing";
    }
}
