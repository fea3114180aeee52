using System.Collections.Immutable;
using System.Text.Json;
using Orchestrator.Worker.Images.Build;
using Orchestrator.Worker.Images.Content;
using Orchestrator.Worker.Images.Unpack;

namespace Orchestrator.Worker.Images;

/// <summary>Images of containers.</summary>
internal sealed partial class ImageStore
{
    /// <summary>Makes an image; answers its id.</summary>
    /// <exception cref="ImageException">The name or a change is not well formed, or the image below was removed.</exception>
    internal Task<string> CommitAsync(CommitRequest request, CancellationToken stop) => CollectOnFailureAsync(async () =>
    {
        ImmutableArray<ImageReference> names = request.Reference is null ? [] : [ImageReference.Parse(request.Reference)];
        var config = ConfigChanges.Parse(request.Changes, request.Config);
        using var scope = _content.Pins.Open();
        if (!_content.Catalog.State.Images.TryGetValue(request.ImageId, out var below))
            throw ImageException.Conflict($"the image {ImageIds.Short(request.ImageId)} of this container was removed by force: its layers cannot become part of a new one");
        foreach (var blob in below.Blobs)
            scope.Add(blob);
        var image = await Task.Run(() => Write(request, config, below, scope, stop), stop);
        await _content.UnpackAsync(image, scope, stop);
        await Task.Run(() => _content.Publish([(image, names)]), stop);
        _content.Tell("commit", image.Id, names.IsEmpty ? image.Id : names[0].Familiar);
        return image.Id;
    });

    /// <summary>What the build cache keeps, oldest first; a step that an image has too costs nothing of its own.</summary>
    internal IReadOnlyList<(string Id, long Size, DateTimeOffset Created, bool InUse)> BuildCacheSteps()
    {
        var used = _content.Catalog.State.Images.Values.SelectMany(i => i.Document.Rootfs.DiffIds).ToHashSet(StringComparer.Ordinal);
        return
        [
            .. Cache.Steps.Where(s => s.Value.DiffId is not null).OrderBy(s => s.Value.Created).ThenBy(s => s.Key, StringComparer.Ordinal)
                .Select(s => (s.Key, LayerSize(s.Value.DiffId!), s.Value.Created, used.Contains(s.Value.DiffId!))),
        ];
    }

    /// <summary>Bytes of a layer's files, unpacked.</summary>
    internal long LayerSize(string diffId) => _content.Layers.SizeOf(diffId);

    private StoredImage Write(CommitRequest request, ImageConfig config, StoredImage below, Pins.Scope scope, CancellationToken stop)
    {
        Blob layer;
        using (var writer = _content.Blobs.Writer(scope))
        {
            LayerTar.Write(request.Upper, writer, stop, request.Skip);
            layer = writer.Commit();
        }

        var command = string.Join(' ', [.. config.Entrypoint ?? [], .. config.Cmd ?? []]);
        var document = below.Document with
        {
            Created = _content.Now,
            Author = request.Author.Length > 0 ? request.Author : below.Document.Author,
            Comment = request.Comment.Length > 0 ? request.Comment : null,
            Config = config,
            Rootfs = below.Document.Rootfs with { DiffIds = below.Document.Rootfs.DiffIds.Add(layer.Digest) },
            History = (below.Document.History ?? []).Add(new()
            {
                Created = _content.Now, CreatedBy = command, Comment = request.Comment.Length > 0 ? request.Comment : null,
                Author = request.Author.Length > 0 ? request.Author : null,
            }),
        };
        return _content.Write(
            JsonSerializer.SerializeToUtf8Bytes(document, ImageJson.Default.ImageDocument), document,
            below.Layers.Add(new() { MediaType = MediaTypes.Layer, Digest = layer.Digest, Size = layer.Size }), scope);
    }
}
