using System.Collections.Immutable;
using System.Text.Json;
using Orchestrator.Worker.Images.Archives;
using Orchestrator.Worker.Images.Content;
using Orchestrator.Worker.Images.Unpack;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Images.Build;

/// <summary>Carries a build out: context, Dockerfile, stages, names.</summary>
internal sealed class ImageBuilder(
    ImageContent content, BuildCache cache, IBuildRunner runner, IProgress<ProgressMessage> progress, Func<string, StoredImage?> findImage)
{
    internal async Task<string> BuildAsync(BuildRequest request, CancellationToken stop)
    {
        var tags = request.Tags.Select(ImageReference.Parse).ToImmutableArray();
        using var scope = content.Pins.Open();
        var folder = StageFolders.New(content.BuildRoot, "context");
        try
        {
            await ReceiveAsync(request.Context, folder, stop);
            var context = new LayeredView([folder]);
            var dockerfile = await Task.Run(() => ReadDockerfile(context, request.DockerfilePath), stop);
            var session = new BuildSession
            {
                Content = content,
                Cache = cache,
                Runner = runner,
                Progress = progress,
                Request = request,
                Scope = scope,
                Context = context,
                Ignore = ReadIgnore(context, request.DockerfilePath),
                Escape = dockerfile.Escape,
                TotalSteps = dockerfile.Instructions.Length,
                FindImage = findImage,
            };
            return await FinishAsync(session, await StagesAsync(session, dockerfile, stop), tags, stop);
        }
        finally
        {
            await Task.Run(() => StageFolders.Delete(folder), CancellationToken.None);
        }
    }

    private static async Task<StageState> StagesAsync(BuildSession session, Dockerfile dockerfile, CancellationToken stop)
    {
        var (globals, stages) = StageChecks.Divide(dockerfile.Instructions);
        foreach (var global in globals)
        {
            session.Announce(global);
            DefineGlobals(session, global);
        }
        var last = stages[^1];
        if (session.Request.Target is { Length: > 0 } target)
        {
            last = stages.FirstOrDefault(s => target.Equals(s.Name, StringComparison.OrdinalIgnoreCase) || target == s.Index.ToString(System.Globalization.CultureInfo.InvariantCulture))
                ?? throw ImageException.Invalid($"failed to reach build target {target} in {session.Request.DockerfilePath}");
        }
        foreach (var stage in stages.Take(last.Index + 1))
            session.Finished.Add((stage, await new StageBuild(session, stage).BuildAsync(stop)));
        return session.Finished[^1].Result;
    }

    private async Task<string> FinishAsync(BuildSession session, StageState built, ImmutableArray<ImageReference> tags, CancellationToken stop)
    {
        var request = session.Request;
        if (!request.Labels.IsEmpty)
            built = built with { Config = built.Config with { Labels = (built.Config.Labels ?? ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal)).SetItems(request.Labels) } };
        if (built.Created is null)
            built = built with { Created = content.Now };
        var image = await Task.Run(
            () =>
            {
                var document = built.ToDocument();
                var bytes = JsonSerializer.SerializeToUtf8Bytes(document, ImageJson.Default.ImageDocument);
                var written = content.Write(bytes, document, [.. built.Layers.Select(l => l.Blob)], session.Scope);
                content.Publish([(written, tags)]);
                return written;
            },
            stop);
        progress.Report(ProgressMessage.Built(image.Id));
        if (request.Quiet)
            progress.Report(ProgressMessage.Text(image.Id + "\n"));
        var unused = request.BuildArgs.Keys.Where(k => !session.Consumed.Contains(k)).ToList();
        if (unused.Count > 0)
            session.Say($"[Warning] One or more build-args [{string.Join(' ', unused)}] were not consumed\n");
        session.Say($"Successfully built {ImageIds.Short(image.Id)}\n");
        content.Tell("build", image.Id, tags.IsEmpty ? image.Id : tags[0].Familiar);
        foreach (var tag in tags)
        {
            content.Tell("tag", image.Id, tag.Familiar);
            session.Say($"Successfully tagged {tag.Familiar}\n");
        }
        return image.Id;
    }

    private static void DefineGlobals(BuildSession session, Instruction instruction)
    {
        foreach (var word in Words.SplitQuoted(instruction.Rest, session.Escape))
        {
            var equals = word.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? word : word[..equals];
            string? value = equals < 0 ? null : Words.Expand(word[(equals + 1)..], session.Escape, n => session.Globals.GetValueOrDefault(n));
            if (session.Request.BuildArgs.TryGetValue(name, out var given))
            {
                session.Consumed.Add(name);
                value = given ?? value;
            }
            session.Globals[name] = value;
        }
    }

    private async Task ReceiveAsync(Stream context, string folder, CancellationToken stop)
    {
        using var spool = await Spool.ReceiveAsync(context, content.Blobs, "the build context", stop);
        await Task.Run(
            () =>
            {
                using var file = spool.Open();
                using var unpacker = new LayerUnpacker(folder, WhiteoutUse.Keep);
                var tar = new TarScanner(file);
                unpacker.Unpack(tar, stop); // an end marker is not asked for: see TarScanner
            },
            stop);
    }

    private static Dockerfile ReadDockerfile(LayeredView context, string path)
    {
        if (context.Find(path) is not { Status.Kind: FileKind.Regular } node)
            throw ImageException.Invalid($"Cannot locate specified Dockerfile: {path}");
        var dockerfile = DockerfileParser.Parse(File.ReadAllText(node.HostPath));
        return dockerfile.Problems.IsEmpty
            ? dockerfile
            : throw ImageException.Invalid(string.Join('\n', dockerfile.Problems.Select(p => $"{path}:{p.Line}: {p.Message}")));
    }

    private static DockerIgnore ReadIgnore(LayeredView context, string dockerfile) =>
        (context.Find(dockerfile + ".dockerignore") ?? context.Find(".dockerignore")) is { Status.Kind: FileKind.Regular } node
            ? DockerIgnore.Parse(File.ReadAllText(node.HostPath))
            : DockerIgnore.Nothing;
}
