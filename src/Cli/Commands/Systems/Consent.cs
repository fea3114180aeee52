namespace Orchestrator.Cli.Commands.Systems;

/// <summary>Asks before something is removed for good.</summary>
internal static class Consent
{
    /// <exception cref="CommandException">The answer is not yes.</exception>
    internal static async Task AskAsync(Invocation call, string warning)
    {
        await call.Shell.Out.WriteAsync($"{warning}\nAre you sure you want to continue? [y/N] ");
        await call.Shell.Out.FlushAsync();
        using var input = new StreamReader(call.Shell.OpenInput());
        if ((await input.ReadLineAsync())?.Trim() is not ("y" or "Y"))
            throw new CommandException("nothing was removed: the answer was not y");
    }
}
