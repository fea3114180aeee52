namespace Orchestrator.Cli.Commands.Systems;

/// <summary>Asks before something is removed for good.</summary>
internal static class Consent
{
    /// <exception cref="CommandException">The answer is not yes.</exception>
    internal static async Task AskAsync(Invocation call, string warning)
    {
        if (await AnswerAsync(call, warning, CancellationToken.None) is not ("y" or "Y"))
            throw new CommandException("nothing was removed: the answer was not y");
    }

    /// <summary>False: the answer is not yes, and nothing is said of it.</summary>
    internal static async Task<bool> IsGivenAsync(Invocation call, string warning, CancellationToken stop) =>
        await AnswerAsync(call, warning, stop) is "y" or "Y" or "yes";

    private static async Task<string?> AnswerAsync(Invocation call, string warning, CancellationToken stop)
    {
        await call.Shell.Out.WriteAsync($"{warning}\nAre you sure you want to continue? [y/N] ");
        await call.Shell.Out.FlushAsync(stop);
        using var input = new StreamReader(call.Shell.OpenInput());
        return (await input.ReadLineAsync(stop))?.Trim();
    }
}
