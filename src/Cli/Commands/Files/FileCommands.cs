using System.CommandLine;
using Orchestrator.Cli.Client;
using Orchestrator.Cli.Commands.Images;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Files;

/// <summary><c>orch diff</c>, <c>export</c> and <c>commit</c>.</summary>
internal static class FileCommands
{
    internal static Command Diff(Shell shell)
    {
        var name = Flags.One("CONTAINER");
        return new Command("diff", "Inspect changes to files or directories on a container's filesystem").Does(shell, [name], async (call, stop) =>
        {
            var changes = await call.Client.GetAsync<IReadOnlyList<FilesystemChange>>($"/containers/{EngineClient.Name(call.Get(name))}/changes", stop);
            foreach (var change in changes)
                await call.Shell.Out.WriteLineAsync($"{change.Kind switch { 0 => 'C', 1 => 'A', _ => 'D' }} {change.Path}");
            return 0;
        });
    }

    internal static Command Export(Shell shell)
    {
        var output = Flags.Text("--output", "Write to a file, instead of STDOUT", "string", "-o");
        var name = Flags.One("CONTAINER");
        return new Command("export", "Export a container's filesystem as a tar archive").Does(shell, [output, name], async (call, stop) =>
        {
            await SavedArchive.WriteAsync(
                call, call.Get(output), () => call.Client.OpenAsync(HttpMethod.Get, $"/containers/{EngineClient.Name(call.Get(name))}/export", null, stop), stop);
            return 0;
        });
    }

    internal static Command Commit(Shell shell)
    {
        var author = Flags.Text("--author", "Author (e.g., \"John Hannibal Smith <hannibal@a-team.com>\")", "string", "-a");
        var change = Flags.List("--change", "Apply Dockerfile instruction to the created image", "list", "-c");
        var message = Flags.Text("--message", "Commit message", "string", "-m");
        var pause = new Option<bool>("--pause", "-p") { Description = "Pause container during commit", DefaultValueFactory = _ => true };
        var container = Flags.One("CONTAINER");
        var image = new Argument<string?>("REPOSITORY[:TAG]") { Arity = ArgumentArity.ZeroOrOne };
        return new Command("commit", "Create a new image from a container's changes").Does(shell, [author, change, message, pause, container, image], async (call, stop) =>
        {
            var query = EngineClient.Query(
                "/commit",
                ("container", call.Get(container)), ("repo", call.Get(image)), ("author", call.Get(author)), ("comment", call.Get(message)),
                ("pause", call.Get(pause) ? "1" : "0"));
            foreach (var one in call.Get(change) ?? [])
                query += $"&changes={Uri.EscapeDataString(one)}";
            using var response = await call.Client.OpenAsync(HttpMethod.Post, query, null, stop);
            await call.Shell.Out.WriteLineAsync(ModelJson.Read<CreatedReply>(await response.Content.ReadAsByteArrayAsync(stop)).Id);
            return 0;
        });
    }
}
