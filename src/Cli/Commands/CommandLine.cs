using System.CommandLine;
using System.CommandLine.Parsing;
using System.Runtime.InteropServices;
using Orchestrator.Cli.Client;
using Orchestrator.Cli.Output.Templates;
using Orchestrator.Worker.Lab;

namespace Orchestrator.Cli.Commands;

/// <summary>Reads the arguments, runs the one command that they name, and turns every kind of failure into words and an exit code.</summary>
internal static class CommandLine
{
    /// <summary>Docker's exit code for flags that cannot be read.</summary>
    internal const int BadFlag = 125;

    internal static async Task<int> RunAsync(string[] args, Shell shell, CancellationToken stop)
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        try
        {
            var code = await ParseAndRunAsync(args, shell, cancel.Token);
            await shell.Out.FlushAsync(CancellationToken.None);
            return code;
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            await shell.Out.FlushAsync(CancellationToken.None);
            return 130;
        }
        catch (CommandException e)
        {
            return await FailAsync(shell, e.Message, e.ExitCode);
        }
        catch (LabException e)
        {
            return await FailAsync(shell, e.Message, e.ExitCode);
        }
        catch (EngineUnreachableException e)
        {
            return await FailAsync(shell, e.Message, 1);
        }
        catch (EngineException e)
        {
            return await FailAsync(shell, Words(e), 1);
        }
        catch (TemplateException e)
        {
            return await FailAsync(shell, e.Message, 1);
        }
        catch (InvalidDataException e)
        {
            return await FailAsync(shell, e.Message, 1);
        }
        catch (IOException e) when (e.HResult == BrokenPipe || e.InnerException?.HResult == BrokenPipe)
        {
            // Whoever read our output has seen enough: `orch logs x | head`.
            return 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return await FailAsync(shell, e.Message, 1);
        }

        void Stop(PosixSignalContext signal)
        {
            if (shell.KeepsSignals)
            {
                signal.Cancel = true;
                return;
            }

            // The second signal is not held back, so a command that hangs in its cleaning up can still be ended.
            signal.Cancel = !cancel.IsCancellationRequested;
            cancel.Cancel();
        }
    }

    /// <summary>EPIPE as .NET carries it in HResult.</summary>
    private const int BrokenPipe = 32;

    internal static string Words(EngineException e) => e.Problems.Count == 0
        ? $"Error response from daemon: {e.Message}"
        : string.Join('\n', e.Problems.Select(p => p.ToString()));

    private static async Task<int> FailAsync(Shell shell, string message, int code)
    {
        await shell.Out.FlushAsync(CancellationToken.None);
        if (message.Length > 0)
            await shell.Error.WriteLineAsync(message);
        return code;
    }

    private static async Task<int> ParseAndRunAsync(string[] args, Shell shell, CancellationToken stop)
    {
        var root = CommandTable.Root(args, shell);
        if (args.Length == 0)
            args = ["--help"];
        var words = CommandWords.Guard(root, args);
        if (words.Unknown is { } unknown)
            return await RefuseWordAsync(words, unknown, shell);
        var parsed = root.Parse(words.Tokens, new ParserConfiguration { ResponseFileTokenReplacer = null, EnablePosixBundling = true });
        if (UnknownFlag(parsed) is { } flag)
            return await RefuseAsync(parsed, shell, flag);
        if (parsed.Errors.Count > 0 && parsed.Action is not System.CommandLine.Help.HelpAction)
            return await RefuseAsync(parsed, shell, unknownFlag: null);
        return await parsed.InvokeAsync(
            new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null, Output = shell.Out, Error = shell.Error },
            stop);
    }

    /// <summary>The parser takes a flag it does not know for an argument where one may stand; only after <c>--</c> is that meant.</summary>
    private static string? UnknownFlag(ParseResult parsed)
    {
        var arguments = parsed.CommandResult.Command.Arguments.SelectMany(a => parsed.GetResult(a)?.Tokens ?? []).ToHashSet(ReferenceEqualityComparer.Instance);
        return parsed.Tokens.TakeWhile(t => t.Type != TokenType.DoubleDash)
            .FirstOrDefault(t => t.Value.Length > 1 && t.Value[0] == '-' && arguments.Contains(t))?.Value
            ?? parsed.UnmatchedTokens.FirstOrDefault(t => t.StartsWith('-') && t.Length > 1);
    }

    private static async Task<int> RefuseAsync(ParseResult parsed, Shell shell, string? unknownFlag)
    {
        var names = new List<string>();
        for (SymbolResult? result = parsed.CommandResult; result is not null; result = result.Parent)
        {
            if (result is CommandResult { Command: { } command })
                names.Insert(0, command is RootCommand ? "orch" : command.Name);
        }
        var path = string.Join(' ', names);
        var current = parsed.CommandResult.Command;
        if (unknownFlag is not null)
        {
            var hint = Compose.Values.Spelling.Nearest(unknownFlag, current.Options.Where(o => !o.Hidden).Select(o => o.Name)) is { } near ? $", did you mean {near}?" : "";
            await shell.Error.WriteLineAsync($"unknown flag: {unknownFlag}{hint}");
        }
        else if (current.Subcommands.Count > 0)
        {
            await shell.Error.WriteLineAsync($"orch: '{path}' needs a command");
        }
        else
        {
            await shell.Error.WriteLineAsync(Arguments(parsed, path, current));
        }
        await shell.Error.WriteLineAsync($"\nUsage:  {Usage(path, current)}\n\nRun '{path} --help' for more information");
        return unknownFlag is null ? 1 : BadFlag;
    }

    private static async Task<int> RefuseWordAsync(GuardedWords words, string unknown, Shell shell)
    {
        var known = words.Command is RootCommand ? CommandTable.Names : words.Command.Subcommands.Select(c => c.Name);
        var hint = Compose.Values.Spelling.Nearest(unknown, known) is { } near ? $", did you mean '{near}'?" : "";
        await shell.Error.WriteLineAsync($"orch: unknown command: {words.Path} {unknown}{hint}\n\nUsage:  {Usage(words.Path, words.Command)}\n\nRun '{words.Path} --help' for more information");
        return 1;
    }

    private static string Arguments(ParseResult parsed, string path, Command current)
    {
        var least = current.Arguments.Sum(a => a.Arity.MinimumNumberOfValues);
        var most = current.Arguments.Sum(a => a.Arity.MaximumNumberOfValues);
        if (parsed.UnmatchedTokens.Count > 0)
            return most == 0 ? $"orch: '{path}' accepts no arguments" : $"orch: '{path}' accepts at most {Count(most)}";
        var given = current.Arguments.Sum(a => parsed.GetResult(a)?.Tokens.Count ?? 0);
        return given < least
            ? $"orch: '{path}' requires {(most > least ? "at least " : "")}{Count(least)}"
            : string.Join('\n', parsed.Errors.Select(e => e.Message));
    }

    private static string Count(int arguments) => arguments == 1 ? "1 argument" : $"{arguments} arguments";

    private static string Usage(string path, Command command) => command.Subcommands.Count > 0
        ? $"{path} COMMAND"
        : $"{path} [OPTIONS]{string.Concat(command.Arguments.Select(a => a.Arity.MinimumNumberOfValues == 0 ? $" [{a.Name}]" : $" {a.Name}"))}";
}
