using System.CommandLine;
using Orchestrator.Cli.Client;
using Orchestrator.Cli.Output;

namespace Orchestrator.Cli.Commands.Files;

/// <summary><c>orch cp</c>: files between a container and the host, in either direction.</summary>
internal static class CopyCommand
{
    internal static Command Create(Shell shell)
    {
        var archive = Flags.Switch("--archive", "Archive mode (copy all uid/gid information)", "-a");
        var follow = Flags.Switch("--follow-link", "Always follow symbol link in SRC_PATH", "-L");
        var quiet = Flags.Quiet("Suppress progress output during copy. Progress output is automatically suppressed if no terminal is attached");
        var source = new Argument<string>("CONTAINER:SRC_PATH|SRC_PATH|-") { Arity = ArgumentArity.ExactlyOne };
        var destination = new Argument<string>("DEST_PATH|-|CONTAINER:DEST_PATH") { Arity = ArgumentArity.ExactlyOne };
        return new Command("cp", "Copy files/folders between a container and the local filesystem").Does(
            shell, [archive, follow, quiet, source, destination], async (call, stop) =>
        {
            var (from, to) = (Parse(call.Get(source)), Parse(call.Get(destination)));
            if (from.Container is not null && to.Container is not null)
                throw new CommandException("copying between containers is not supported");
            if (from.Container is null && to.Container is null)
                throw new CommandException("must specify at least one container source");
            var copied = from.Container is { } container
                ? await CopyOut.RunAsync(call, container, from.Path, to.Path, call.Get(follow), stop)
                : await CopyIn.RunAsync(call, from.Path, to.Container!, to.Path, call.Get(follow), call.Get(archive), stop);
            if (!call.Get(quiet) && to.Path != "-")
                await call.Shell.Error.WriteLineAsync($"Successfully copied {Humanized.Size(copied)} to {call.Get(destination)}");
            return 0;
        });
    }

    /// <summary>A colon parts container and path, unless the text is a path of the host by its first character.</summary>
    internal static (string? Container, string Path) Parse(string text)
    {
        if (text == "-" || text.StartsWith('/') || text.StartsWith('.'))
            return (null, text);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon <= 0 ? (null, text) : (text[..colon], text[(colon + 1)..]);
    }

    internal static string ArchivePath(string container, string path, params ReadOnlySpan<(string, string?)> more) =>
        EngineClient.Query($"/containers/{EngineClient.Name(container)}/archive", [("path", path), .. more]);
}
