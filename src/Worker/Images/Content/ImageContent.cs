using System.Collections.Immutable;
using System.Text.Json;
using Orchestrator.Worker.Images.Unpack;

namespace Orchestrator.Worker.Images.Content;

/// <summary>The parts of the store that load, import and build work with.</summary>
internal sealed class ImageContent(string dataRoot, TimeProvider time, Action<ImageEvent> onEvent) : IDisposable
{
    internal Pins Pins { get; } = new();
    internal BlobStore Blobs => field ??= new(Path.Combine(dataRoot, "content"), Pins);
    internal LayerStore Layers => field ??= new(Path.Combine(dataRoot, "layers"), Pins);
    internal Catalog Catalog => field ??= new(Blobs);
    internal Holders Holders => field ??= new(Path.Combine(dataRoot, "layers", "holders.log"));
    internal DateTimeOffset Now => time.GetUtcNow();

    /// <summary>Where build steps have their upper directories.</summary>
    internal string BuildRoot { get; } = Path.Combine(dataRoot, "build");

    public void Dispose() => Holders.Dispose();

    /// <summary>Writes config and manifest of an image whose layer blobs are in the store; no name yet, the scope keeps it.</summary>
    internal StoredImage Write(ReadOnlySpan<byte> config, ImageDocument document, ImmutableArray<Descriptor> layers, Pins.Scope scope)
    {
        var configBlob = Blobs.Put(config, scope);
        var manifest = new OciManifest
        {
            MediaType = MediaTypes.Manifest,
            Config = new() { MediaType = MediaTypes.Config, Digest = configBlob.Digest, Size = configBlob.Size },
            Layers = layers,
        };
        var blob = Blobs.Put(JsonSerializer.SerializeToUtf8Bytes(manifest, OciContentJson.Default.OciManifest), scope);
        return new(configBlob.Digest, new() { MediaType = MediaTypes.Manifest, Digest = blob.Digest, Size = blob.Size }, layers, document);
    }

    /// <summary>Unpacks what of the image's layers is not unpacked yet; layers do not depend on each other.</summary>
    internal Task UnpackAsync(StoredImage image, Pins.Scope scope, CancellationToken stop)
    {
        foreach (var diffId in image.Document.Rootfs.DiffIds)
            scope.Add(diffId);
        var missing = Enumerable.Range(0, image.Layers.Length).Where(i => !Layers.Has(image.Document.Rootfs.DiffIds[i])).ToList();
        var options = new ParallelOptions { MaxDegreeOfParallelism = Math.Min(4, Environment.ProcessorCount), CancellationToken = stop };
        return missing.Count == 0
            ? Task.CompletedTask
            : Parallel.ForEachAsync(missing, options, async (i, cancel) =>
                await Layers.EnsureAsync(image.Document.Rootfs.DiffIds[i], () => Blobs.Open(image.Layers[i].Digest), cancel));
    }

    /// <summary>Puts images and names in the catalog in one step; a name that points elsewhere moves.</summary>
    internal (CatalogState Before, CatalogState After) Publish(IEnumerable<(StoredImage Image, ImmutableArray<ImageReference> Names)> images) =>
        Catalog.Update(state =>
        {
            var (names, all) = (state.Names, state.Images);
            foreach (var (image, references) in images)
            {
                if (!all.ContainsKey(image.Id))
                    all = all.Add(image.Id, image);
                names = names.SetItems(references.Select(r => KeyValuePair.Create(r.Canonical, image.Id)));
            }
            return names == state.Names && all == state.Images ? state : new(names, all);
        });

    internal void Tell(string action, string id, string name) => onEvent(new(action, id, name, Now));

    /// <summary>The image as others see it.</summary>
    internal ImageRecord ToRecord(CatalogState state, StoredImage image)
    {
        var names = state.NamesOf(image.Id).Select(ImageReference.Parse).ToImmutableArray();
        var document = image.Document;
        return new()
        {
            Id = image.Id,
            RepoTags = [.. names.Where(n => n.Tag is not null).Select(n => n.Familiar)],
            RepoDigests = [.. names.Where(n => n.Tag is null).Select(n => n.Familiar)],
            ManifestDigest = image.Manifest.Digest,
            Config = document.Config ?? new(),
            Architecture = document.Architecture,
            Variant = document.Variant,
            Os = document.Os,
            Author = document.Author ?? "",
            Comment = document.Comment ?? "",
            Created = document.Created,
            Size = document.Rootfs.DiffIds.Sum(Layers.SizeOf),
            DiffIds = document.Rootfs.DiffIds,
            History = document.History ?? [],
        };
    }
}
