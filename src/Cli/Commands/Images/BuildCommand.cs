using System.CommandLine;
using System.Text;
using Orchestrator.Cli.Client;
using Orchestrator.Cli.Commands.Services;
using Orchestrator.Cli.Compose;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Images;

/// <summary><c>orch build</c>, and the builds of a stack file.</summary>
internal static class BuildCommand
{
    internal static Command Create(Shell shell)
    {
        var file = Flags.Text("--file", "Name of the Dockerfile (Default is \"PATH/Dockerfile\")", "string", "-f");
        var tag = Flags.List("--tag", "Name and optionally a tag in the \"name:tag\" format", "list", "-t");
        var arg = Flags.List("--build-arg", "Set build-time variables", "list");
        var label = Flags.List("--label", "Set metadata for an image", "list");
        var target = Flags.Text("--target", "Set the target build stage to build");
        var noCache = Flags.Switch("--no-cache", "Do not use cache when building the image");
        var quiet = Flags.Quiet("Suppress the build output and print image ID on success");
        var iidFile = Flags.Text("--iidfile", "Write the image ID to the file");
        var folder = Flags.One("PATH");
        return new Command("build", "Build an image from a Dockerfile").Does(
            shell, [file, tag, arg, label, target, noCache, quiet, iidFile, folder], async (call, stop) =>
        {
            if (call.Get(folder) == "-" || call.Get(folder).Contains("://", StringComparison.Ordinal))
                throw new CommandException($"'{call.Get(folder)}' is not a folder: other contexts do not work yet");
            var context = Path.GetFullPath(Path.Combine(shell.Folder, call.Get(folder)));
            var args = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var text in call.Get(arg) ?? [])
            {
                var equals = text.IndexOf('=');
                if (equals > 0)
                    args[text[..equals]] = text[(equals + 1)..];
                else if (shell.Environment.TryGetValue(text, out var value))
                    args[text] = value;
            }
            var build = new ComposeBuild
            {
                Context = context,
                At = default,
                Dockerfile = call.Get(file) is { } given ? Path.GetRelativePath(context, Path.Combine(shell.Folder, given)) : null,
                Args = args,
                Labels = ServiceFlags.Pairs(new Dictionary<string, string>(), call.Get(label)),
                Tags = call.Get(tag) ?? [],
                Target = call.Get(target),
                NoCache = call.Get(noCache),
            };
            var id = await RunAsync(call, build, call.Get(quiet) ? TextWriter.Null : shell.Out, stop);
            if (call.Get(iidFile) is { } path && id is not null)
                await File.WriteAllTextAsync(Path.Combine(shell.Folder, path), id, stop);
            if (call.Get(quiet))
                await shell.Out.WriteLineAsync(id);
            return 0;
        });
    }

    /// <summary>Sends the context and shows what the daemon does with it; the answer is the image's id.</summary>
    internal static async Task<string?> RunAsync(Invocation call, ComposeBuild build, TextWriter output, CancellationToken stop)
    {
        var dockerfile = build.Dockerfile ?? "Dockerfile";
        if (dockerfile.StartsWith("..", StringComparison.Ordinal) || Path.IsPathRooted(dockerfile))
            throw new CommandException($"the Dockerfile {dockerfile} must lie within the context {build.Context}");
        using var context = new BuildContext(build.Context, dockerfile);
        var path = EngineClient.Query("/build",
        [
            .. build.Tags.Select(t => ("t", (string?)t)),
            ("dockerfile", dockerfile),
            ("buildargs", Json(build.Args)),
            ("labels", Json(build.Labels)),
            ("target", build.Target),
            ("nocache", build.NoCache ? "1" : null),
        ]);
        using var response = await call.Client.OpenAsync(HttpMethod.Post, path, context, stop);
        return await ProgressStream.WriteAsync(response, output, stop);
    }

    private static string? Json(IReadOnlyDictionary<string, string> pairs) =>
        pairs.Count == 0 ? null : Encoding.UTF8.GetString(ModelJson.Write(new Dictionary<string, string>(pairs)));
}
