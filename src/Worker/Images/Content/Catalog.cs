using System.Collections.Immutable;
using System.Text.Json;

namespace Orchestrator.Worker.Images.Content;

/// <summary>An image as the store keeps it: its manifest, and the config read.</summary>
internal sealed record StoredImage(string Id, Descriptor Manifest, ImmutableArray<Descriptor> Layers, ImageDocument Document)
{
    /// <summary>Every blob it needs.</summary>
    internal IEnumerable<string> Blobs => [Manifest.Digest, Id, .. Layers.Select(l => l.Digest)];
}

/// <summary>Names and images at one moment. Names are canonical (<c>docker.io/library/busybox:latest</c> or with <c>@sha256:…</c>).</summary>
internal sealed record CatalogState(
    ImmutableSortedDictionary<string, string> Names, ImmutableSortedDictionary<string, StoredImage> Images)
{
    internal static CatalogState Empty { get; } = new(
        ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal),
        ImmutableSortedDictionary.Create<string, StoredImage>(StringComparer.Ordinal));

    /// <summary>The names of an image, in ordinal order.</summary>
    internal ImmutableArray<string> NamesOf(string id) => [.. Names.Where(n => n.Value == id).Select(n => n.Key)];

    /// <summary>The state as index.json holds it: one descriptor for each name, one without name for a dangling image.</summary>
    internal OciIndex ToIndex()
    {
        var named = Names.Select(n => Images[n.Value].Manifest with
        {
            Annotations = ImmutableSortedDictionary<string, string>.Empty.Add(Annotations.RefName, n.Key),
        });
        var used = Names.Values.ToHashSet(StringComparer.Ordinal);
        var dangling = Images.Values.Where(i => !used.Contains(i.Id)).Select(i => i.Manifest);
        return new() { MediaType = MediaTypes.Index, Manifests = [.. named, .. dangling] };
    }
}

/// <summary>Owns index.json: every change is on the disk before anyone sees it.</summary>
internal sealed class Catalog(BlobStore blobs)
{
    private readonly Lock _gate = new();
    private readonly string _index = Path.Combine(blobs.Root, "index.json");
    private volatile CatalogState _state = CatalogState.Empty;

    internal CatalogState State => _state;

    /// <summary>Reads index.json; answers a sentence for each image whose content is damaged and which therefore is not taken.</summary>
    internal ImmutableArray<string> Load()
    {
        if (!File.Exists(_index))
            return [];
        var problems = ImmutableArray.CreateBuilder<string>();
        var index = ReadIndex();
        var (names, images) = (CatalogState.Empty.Names.ToBuilder(), CatalogState.Empty.Images.ToBuilder());
        foreach (var descriptor in index.Manifests)
        {
            var name = descriptor.Annotations?.GetValueOrDefault(Annotations.RefName);
            try
            {
                var image = Read(descriptor with { Annotations = null });
                images.TryAdd(image.Id, image);
                if (name is not null)
                    names[name] = image.Id;
            }
            catch (Exception e) when (e is ImageException or JsonException or IOException)
            {
                problems.Add($"image {name ?? descriptor.Digest} is not usable: {e.Message}");
            }
        }
        _state = new(names.ToImmutable(), images.ToImmutable());
        return problems.ToImmutable();
    }

    private OciIndex ReadIndex()
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(_index), OciContentJson.Default.OciIndex) ?? new();
        }
        catch (JsonException e)
        {
            // Without the index every blob would look like garbage.
            throw ImageException.Bad($"{_index} is damaged ({e.Message}); restore it or move {blobs.Root} away", e);
        }
    }

    /// <summary>Reads an image whose blobs are in the store.</summary>
    internal StoredImage Read(Descriptor descriptor)
    {
        var manifest = Json(descriptor.Digest, OciContentJson.Default.OciManifest);
        var document = Json(manifest.Config.Digest, ImageJson.Default.ImageDocument);
        if (manifest.Layers.Length != document.Rootfs.DiffIds.Length)
            throw ImageException.Bad(
                $"manifest {descriptor.Digest} names {manifest.Layers.Length} layers, its config {document.Rootfs.DiffIds.Length}");
        foreach (var missing in manifest.Layers.Where(l => !blobs.Has(l.Digest)))
            throw ImageException.Bad($"layer {missing.Digest} is missing");
        return new(manifest.Config.Digest, descriptor, manifest.Layers, document);
    }

    /// <summary>Changes the state; <paramref name="change"/> may be refused by throwing. Answers the states before and after.</summary>
    internal (CatalogState Before, CatalogState After) Update(Func<CatalogState, CatalogState> change)
    {
        lock (_gate)
        {
            var before = _state;
            var after = change(before);
            if (after != before)
            {
                AtomicFile.Write(_index, JsonSerializer.SerializeToUtf8Bytes(after.ToIndex(), OciContentJson.Default.OciIndex));
                _state = after;
            }
            return (before, after);
        }
    }

    private T Json<T>(string digest, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        using var blob = blobs.Open(digest);
        return JsonSerializer.Deserialize(blob, type) ?? throw ImageException.Bad($"content {digest} is empty");
    }
}
