using System.CommandLine;

namespace Orchestrator.Cli.Commands.Completions;

/// <summary><c>orch completion SHELL</c>, and the hidden command that its scripts call with the words of the line.</summary>
internal static class CompletionCommand
{
    /// <summary>What a script calls: the words after <c>orch</c>, the one being written last.</summary>
    internal const string Hidden = "__complete";

    /// <summary>Printed alone where paths fit.</summary>
    internal const string FilesMark = ":files";

    internal static Command Create(Shell shell)
    {
        var name = Flags.One("SHELL");
        name.AcceptOnlyFromAmong("bash", "zsh", "fish");
        return new Command("completion", "Print the completion script for bash, zsh or fish").Does(shell, [name], async (call, _) =>
        {
            await shell.Out.WriteAsync(Script(call.Get(name)));
            return 0;
        });
    }

    internal static Command Words(Shell shell)
    {
        var words = new Argument<string[]>("WORD") { Arity = ArgumentArity.ZeroOrMore };
        return new Command(Hidden, "") { Hidden = true }.Does(shell, [words], async (call, stop) =>
        {
            var given = call.Get(words);
            var root = CommandTable.Root([.. given], shell);
            var plan = CompletionPlan.Of(root, given);
            foreach (var (word, what) in plan.Words)
                await shell.Out.WriteLineAsync($"{word}\t{what.ReplaceLineEndings(" ")}");
            if (plan.Noun is { } noun)
            {
                // A -H in the line names the daemon that is asked.
                using var line = new Invocation(root.Parse([.. given.TakeWhile(w => w != "--").SkipLast(1)]), shell);
                var asked = given.Any(w => w.StartsWith("-H", StringComparison.Ordinal) || w.StartsWith("--host", StringComparison.Ordinal)) ? line : call;
                var partial = given.Length > 0 ? given[^1] : "";
                foreach (var found in (await CompletionNames.OfAsync(asked, noun, stop)).Where(n => n.StartsWith(partial, StringComparison.Ordinal)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
                    await shell.Out.WriteLineAsync($"{found}\t");
            }
            if (plan.Files)
                await shell.Out.WriteLineAsync(FilesMark);
            return 0;
        });
    }

    private static string Script(string shell)
    {
        using var stream = typeof(CompletionCommand).Assembly.GetManifestResourceStream($"completion.{shell}")
            ?? throw new InvalidOperationException($"the binary holds no completion script for {shell}");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
