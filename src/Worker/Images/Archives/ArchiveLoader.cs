using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Orchestrator.Worker.Images.Content;

namespace Orchestrator.Worker.Images.Archives;

/// <summary>Reads archives as <c>docker save</c>, <c>skopeo</c>, <c>podman</c> and <c>umoci</c> write them. All of an archive is taken or nothing.</summary>
internal sealed class ArchiveLoader(ImageContent content, IProgress<ProgressMessage> progress)
{
    private readonly Pins.Scope _scope = content.Pins.Open();

    internal async Task<ImmutableArray<string>> LoadAsync(Stream archive, CancellationToken stop)
    {
        using var scope = _scope;
        using var spool = await Spool.ReceiveAsync(archive, content.Blobs, "the archive", stop);
        var images = await Task.Run(() => Read(new ArchiveIndex(spool)), stop);
        foreach (var (image, _) in images)
            await content.UnpackAsync(image, scope, stop);
        var (before, _) = await Task.Run(() => content.Publish(images), stop);
        foreach (var (image, names) in images)
            Tell(image, names, before);
        return [.. images.Select(i => i.Image.Id)];
    }

    private void Tell(StoredImage image, ImmutableArray<ImageReference> names, CatalogState before)
    {
        content.Tell("load", image.Id, names.IsEmpty ? image.Id : names[0].Familiar);
        if (names.IsEmpty)
            progress.Report(ProgressMessage.Text($"Loaded image ID: {image.Id}\n"));
        foreach (var name in names)
        {
            if (before.Names.TryGetValue(name.Canonical, out var old) && old != image.Id)
                progress.Report(ProgressMessage.Text($"The image {name.Familiar} already exists, renaming the old one with ID {old} to empty string\n"));
            progress.Report(ProgressMessage.Text($"Loaded image: {name.Familiar}\n"));
        }
    }

    private ImmutableArray<(StoredImage Image, ImmutableArray<ImageReference> Names)> Read(ArchiveIndex archive)
    {
        // A docker-archive of today holds an OCI layout too; its manifest.json has the names.
        if (archive.Has("manifest.json"))
            return [.. archive.Json("manifest.json", OciContentJson.Default.ImmutableArrayDockerArchiveImage).Select(i => ReadDocker(archive, i))];
        if (archive.Has("index.json"))
            return ReadOci(archive);
        throw ImageException.Bad(archive.Has("repositories")
            ? "the archive is of Docker's oldest kind (before 1.10), which is not supported"
            : "this is no image archive: it holds neither manifest.json nor index.json (a root file system is taken by image import)");
    }

    private (StoredImage, ImmutableArray<ImageReference>) ReadDocker(ArchiveIndex archive, DockerArchiveImage listed)
    {
        var names = (listed.RepoTags ?? []).Select(ImageReference.Parse).ToImmutableArray();
        var config = archive.Bytes(listed.Config);
        var id = Digests.Of(SHA256.HashData(config));
        var promised = Digests.Sha256 + Path.GetFileNameWithoutExtension(listed.Config);
        if (Digests.IsValid(promised) && promised != id)
            throw ImageException.Bad($"the archive's config {listed.Config} does not fit its name: its digest is {id}");
        var document = ArchiveIndex.Parse(config, listed.Config, ImageJson.Default.ImageDocument);
        if (document.Rootfs.DiffIds.Length != listed.Layers.Length)
            throw ImageException.Bad($"the archive lists {listed.Layers.Length} layers for {listed.Config}, which names {document.Rootfs.DiffIds.Length}");
        var layers = listed.Layers.Select((file, i) => TakeLayer(archive, file, document.Rootfs.DiffIds[i]));
        return (content.Write(config, document, [.. layers], _scope), names);
    }

    private Descriptor TakeLayer(ArchiveIndex archive, string file, string diffId)
    {
        using var layer = archive.Open(file);
        using var plain = Compression.Open(layer, $"layer {file}");
        var compressed = !ReferenceEquals(plain, layer);
        layer.Position = 0;
        _scope.Add(diffId);
        // Uncompressed content has the diff id as its digest; what is there already was checked when it came.
        if (!compressed && content.Blobs.Has(diffId))
        {
            progress.Report(ProgressMessage.State("Layer already exists", ImageIds.Short(diffId)));
            return new() { MediaType = MediaTypes.Layer, Digest = diffId, Size = layer.Length };
        }
        progress.Report(ProgressMessage.State("Loading layer", ImageIds.Short(diffId)) with { ProgressDetail = new(0, layer.Length) });
        var blob = content.Blobs.Put(layer, compressed ? null : diffId, _scope);
        progress.Report(ProgressMessage.State("Loading layer", ImageIds.Short(diffId)) with { ProgressDetail = new(blob.Size, blob.Size) });
        return new() { MediaType = compressed ? MediaTypes.LayerGzip : MediaTypes.Layer, Digest = blob.Digest, Size = blob.Size };
    }

    private ImmutableArray<(StoredImage, ImmutableArray<ImageReference>)> ReadOci(ArchiveIndex archive)
    {
        var index = archive.Json("index.json", OciContentJson.Default.OciIndex);
        var chosen = index.Manifests.SelectMany(d => Manifests(archive, d, d.Annotations)).ToList();
        if (chosen.Count == 0)
            throw ImageException.Bad($"the archive holds no image for {HostPlatform.Os}/{HostPlatform.Architecture}");
        // Several names of one image are several descriptors of one digest.
        return [.. chosen.GroupBy(c => c.Descriptor.Digest, StringComparer.Ordinal)
            .Select(g => (ReadManifest(archive, g.First().Descriptor), g.SelectMany(c => Names(c.Annotations)).Distinct().ToImmutableArray()))];
    }

    private static IEnumerable<(Descriptor Descriptor, ImmutableSortedDictionary<string, string>? Annotations)> Manifests(
        ArchiveIndex archive, Descriptor descriptor, ImmutableSortedDictionary<string, string>? annotations)
    {
        if (descriptor.Platform is { } p && (p.Os != HostPlatform.Os || p.Architecture != HostPlatform.Architecture))
            return [];
        if (descriptor.MediaType is not (MediaTypes.Index or MediaTypes.DockerList))
            return [(descriptor, annotations)];
        var nested = ArchiveIndex.Parse(Checked(archive, descriptor), descriptor.Digest, OciContentJson.Default.OciIndex);
        return nested.Manifests.Where(m => m.MediaType is not (MediaTypes.Index or MediaTypes.DockerList)).SelectMany(m => Manifests(archive, m, annotations)).Take(1);
    }

    private StoredImage ReadManifest(ArchiveIndex archive, Descriptor descriptor)
    {
        if (descriptor.MediaType is not (MediaTypes.Manifest or MediaTypes.DockerManifest))
            throw ImageException.Bad($"the archive holds {descriptor.MediaType}, which is not an image manifest");
        var bytes = Checked(archive, descriptor);
        var manifest = ArchiveIndex.Parse(bytes, descriptor.Digest, OciContentJson.Default.OciManifest);
        var config = Checked(archive, manifest.Config);
        var document = ArchiveIndex.Parse(config, manifest.Config.Digest, ImageJson.Default.ImageDocument);
        if (manifest.Layers.Length != document.Rootfs.DiffIds.Length || document.Os.Length == 0)
            throw ImageException.Bad($"{descriptor.Digest} in the archive is not an image: its config ({manifest.Config.MediaType}) does not describe its layers");
        for (var i = 0; i < manifest.Layers.Length; i++)
            TakeBlob(archive, manifest.Layers[i], document.Rootfs.DiffIds[i]);
        content.Blobs.Put(config, _scope);
        var blob = content.Blobs.Put(bytes, _scope);
        var stored = new Descriptor { MediaType = descriptor.MediaType, Digest = blob.Digest, Size = blob.Size };
        return new(manifest.Config.Digest, stored, manifest.Layers, document);
    }

    private void TakeBlob(ArchiveIndex archive, Descriptor layer, string diffId)
    {
        _scope.Add(layer.Digest);
        _scope.Add(diffId);
        if (content.Blobs.Has(layer.Digest))
        {
            progress.Report(ProgressMessage.State("Layer already exists", ImageIds.Short(diffId)));
            return;
        }
        using var source = archive.Open(BlobName(layer.Digest));
        progress.Report(ProgressMessage.State("Loading layer", ImageIds.Short(diffId)) with { ProgressDetail = new(source.Length, source.Length) });
        content.Blobs.Put(source, layer.Digest, _scope);
    }

    private static byte[] Checked(ArchiveIndex archive, Descriptor descriptor)
    {
        var bytes = archive.Bytes(BlobName(descriptor.Digest));
        var actual = Digests.Of(SHA256.HashData(bytes));
        return actual == descriptor.Digest
            ? bytes
            : throw ImageException.Bad($"content does not fit its digest: expected {descriptor.Digest}, the {bytes.Length} bytes have {actual}");
    }

    private static string BlobName(string digest) => $"blobs/sha256/{Digests.Hex(digest)}";

    // ref.name may be a bare tag (umoci, OCI layouts): then nobody said of which repository, and the image stays without a name.
    private static IEnumerable<ImageReference> Names(ImmutableSortedDictionary<string, string>? annotations)
    {
        var name = annotations?.GetValueOrDefault(Annotations.ContainerdName) ?? annotations?.GetValueOrDefault(Annotations.RefName);
        if (name is not null && name.AsSpan().IndexOfAny(':', '/') >= 0 && ImageReference.TryParse(name, out var reference, out _))
            yield return reference!;
    }
}

/// <summary>This host as images name it.</summary>
internal static class HostPlatform
{
    internal const string Os = "linux";

    internal static string Architecture { get; } = RuntimeInformation.ProcessArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => "amd64",
        System.Runtime.InteropServices.Architecture.Arm64 => "arm64",
        System.Runtime.InteropServices.Architecture.X86 => "386",
        System.Runtime.InteropServices.Architecture.Arm => "arm",
        var other => other.ToString().ToLowerInvariant(),
    };
}
