using System.Collections.Immutable;
using Orchestrator.Worker.Images.Archives;
using Orchestrator.Worker.Images.Build;
using Orchestrator.Worker.Images.Content;

namespace Orchestrator.Worker.Images;

/// <summary>The images of this host: content by digest, names, unpacked layers, and who holds them.</summary>
internal sealed partial class ImageStore(ImageStoreOptions options) : IImageLayers, IDisposable
{
    private readonly ImageContent _content = new(options.DataRoot, options.Time, options.OnEvent);

    private BuildCache Cache => field ??= new(Path.Combine(options.DataRoot, "build-cache"));

    /// <summary>Reads what is on disk and removes what a crash left; call once before anything else.</summary>
    /// <returns>A sentence for each image that is damaged and was left out.</returns>
    internal Task<ImmutableArray<string>> StartAsync(CancellationToken stop) => Task.Run(
        () =>
        {
            _content.Blobs.Prepare();
            _content.Layers.Prepare();
            _content.Holders.Load();
            Cache.Load();
            StageFolders.Clear(_content.BuildRoot);
            var problems = _content.Catalog.Load();
            // What a damaged entry needs is not known, so nothing is collected while there is one.
            if (problems.IsEmpty)
                Collect();
            return problems;
        },
        stop);

    public ValueTask<ImageRecord?> ResolveAsync(string reference, CancellationToken stop)
    {
        var state = _content.Catalog.State;
        return new(Find(state, reference) is { } found ? _content.ToRecord(state, state.Images[found.Id]) : null);
    }

    public async ValueTask<LayerStack> AcquireLayersAsync(string imageId, string holderId, CancellationToken stop)
    {
        if (_content.Holders.Find(holderId) is { } held && held.ImageId == imageId && held.DiffIds.All(_content.Layers.Has))
            return Stack(imageId, held.DiffIds);
        using var scope = _content.Pins.Open();
        if (!_content.Catalog.State.Images.TryGetValue(imageId, out var image))
            throw ImageException.NotFound(imageId);
        foreach (var blob in image.Blobs)
            scope.Add(blob);
        await _content.UnpackAsync(image, scope, stop);
        _content.Holders.Put(new(holderId, imageId, image.Document.Rootfs.DiffIds));
        return Stack(imageId, image.Document.Rootfs.DiffIds);
    }

    public ValueTask ReleaseAsync(string holderId, CancellationToken stop)
    {
        // Layers of an image that was removed by force meanwhile are now nobody's.
        if (_content.Holders.Find(holderId) is { } held && _content.Holders.Remove(holderId) && !_content.Catalog.State.Images.ContainsKey(held.ImageId))
            return new(Task.Run(Collect, stop));
        return ValueTask.CompletedTask;
    }

    /// <summary>Lets go of what holders have that do not exist any more: whoever held layers may have died before he was written down himself.</summary>
    internal async Task ReleaseAllButAsync(IReadOnlySet<string> holders, CancellationToken stop)
    {
        foreach (var stray in _content.Holders.All.Select(h => h.HolderId).Where(id => !holders.Contains(id)).ToList())
            await ReleaseAsync(stray, stop);
    }

    /// <summary>Every image, newest first.</summary>
    internal ValueTask<ImmutableArray<ImageRecord>> ListAsync(CancellationToken stop)
    {
        var state = _content.Catalog.State;
        return new([.. state.Images.Values
            .OrderByDescending(i => i.Document.Created ?? DateTimeOffset.MinValue)
            .ThenBy(i => i.Id, StringComparer.Ordinal)
            .Select(i => _content.ToRecord(state, i))]);
    }

    /// <summary>As <see cref="ResolveAsync"/>, but a missing image is a <see cref="ImageFault.NotFound"/>.</summary>
    internal async ValueTask<ImageRecord> InspectAsync(string reference, CancellationToken stop) =>
        await ResolveAsync(reference, stop) ?? throw ImageException.NotFound(reference);

    /// <summary>The holders (container ids) that use an image.</summary>
    internal ImmutableArray<string> HoldersOf(string imageId) =>
        [.. _content.Holders.All.Where(h => h.ImageId == imageId).Select(h => h.HolderId).Order(StringComparer.Ordinal)];

    /// <summary>The image's steps, newest first.</summary>
    internal async ValueTask<ImmutableArray<HistoryLine>> HistoryAsync(string reference, CancellationToken stop)
    {
        var image = await InspectAsync(reference, stop);
        var lines = ImmutableArray.CreateBuilder<HistoryLine>();
        var layer = 0;
        foreach (var step in image.History)
        {
            var size = step.EmptyLayer == true || layer >= image.DiffIds.Length ? 0 : _content.Layers.SizeOf(image.DiffIds[layer++]);
            lines.Add(new("<missing>", step.Created, step.CreatedBy ?? "", [], size, step.Comment ?? ""));
        }
        if (lines.Count > 0)
            lines[^1] = lines[^1] with { Id = image.Id, Tags = image.RepoTags };
        lines.Reverse();
        return lines.ToImmutable();
    }

    /// <summary>Gives <paramref name="source"/> one more name, taking it from whoever has it.</summary>
    internal async ValueTask TagAsync(string source, string target, CancellationToken stop)
    {
        var name = ImageReference.Parse(target);
        if (name.Digest is not null)
            throw ImageException.Invalid($"refusing to create a tag with a digest reference: {target}");
        await Task.Run(
            () => _content.Catalog.Update(state =>
                Find(state, source) is { } found
                    ? state with { Names = state.Names.SetItem(name.Canonical, found.Id) }
                    : throw ImageException.NotFound(source)),
            stop);
        _content.Tell("tag", _content.Catalog.State.Names[name.Canonical], name.Familiar);
    }

    /// <summary>Loads a docker-archive or OCI archive, plain or gzip; answers the images' ids.</summary>
    internal Task<ImmutableArray<string>> LoadAsync(Stream archive, IProgress<ProgressMessage> progress, CancellationToken stop) =>
        CollectOnFailureAsync(() => new ArchiveLoader(_content, progress).LoadAsync(archive, stop));

    /// <summary>Writes a docker-archive (with an OCI layout inside) of the named images.</summary>
    internal Task SaveAsync(ImmutableArray<string> references, Stream archive, CancellationToken stop)
    {
        var state = _content.Catalog.State;
        var wanted = references.Select(r => (Find(state, r) ?? throw ImageException.NotFound(r)) is var found ? (state.Images[found.Id], found.Name) : default);
        return new ArchiveSaver(_content).SaveAsync([.. wanted], archive, stop);
    }

    /// <summary>Makes an image of one layer from a root file system's tar, plain or gzip; answers the id.</summary>
    /// <param name="rootfs">The tar.</param>
    /// <param name="reference">The name it gets; none when null.</param>
    /// <param name="changes">Dockerfile instructions (CMD, ENV, …) for the config.</param>
    /// <param name="message">The comment of the image's only step.</param>
    /// <param name="stop">Cancels.</param>
    internal Task<string> ImportAsync(Stream rootfs, string? reference, ImmutableArray<string> changes, string? message, CancellationToken stop) =>
        CollectOnFailureAsync(() => new RootfsImporter(_content).ImportAsync(rootfs, reference, changes, message, stop));

    /// <summary>Builds a Dockerfile; answers the image's id. Problems and failing steps throw <see cref="ImageException"/>.</summary>
    internal Task<string> BuildAsync(BuildRequest request, IBuildRunner runner, IProgress<ProgressMessage> progress, CancellationToken stop) =>
        CollectOnFailureAsync(() => new ImageBuilder(_content, Cache, runner, progress, FindImage).BuildAsync(request, stop));

    public void Dispose() => _content.Dispose();

    private StoredImage? FindImage(string reference)
    {
        var state = _content.Catalog.State;
        return Find(state, reference) is { } found ? state.Images[found.Id] : null;
    }

    private async Task<T> CollectOnFailureAsync<T>(Func<Task<T>> operation)
    {
        try
        {
            return await operation();
        }
        catch
        {
            await Task.Run(Collect, CancellationToken.None);
            throw;
        }
    }

    private LayerStack Stack(string imageId, ImmutableArray<string> diffIds) => new(imageId, [.. diffIds.Reverse().Select(_content.Layers.DiffOf)]);
}
