using System.Collections.Immutable;
using System.Text.Json;
using Orchestrator.Worker.Images.Content;

namespace Orchestrator.Worker.Images.Archives;

/// <summary>Writes what <c>docker save</c> of today writes: an OCI layout with a <c>manifest.json</c> beside.</summary>
internal sealed class ArchiveSaver(ImageContent content)
{
    internal async Task SaveAsync(ImmutableArray<(StoredImage Image, string? Name)> images, Stream to, CancellationToken stop)
    {
        using var scope = content.Pins.Open();
        foreach (var blob in images.SelectMany(i => i.Image.Blobs))
            scope.Add(blob);
        var spool = content.Blobs.TemporaryPath("save");
        try
        {
            await Task.Run(() => Compose(images, spool), stop);
            await using var file = new FileStream(spool, FileMode.Open, FileAccess.Read, FileShare.Read, 0);
            await file.CopyToAsync(to, 256 * 1024, stop);
        }
        finally
        {
            File.Delete(spool);
        }
    }

    private void Compose(ImmutableArray<(StoredImage Image, string? Name)> images, string path)
    {
        using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 128 * 1024);
        var tar = new TarComposer(file);
        foreach (var digest in images.SelectMany(i => i.Image.Blobs).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            using var blob = content.Blobs.Open(digest);
            tar.Write(Regular(NameOf(digest), blob.Length), blob);
        }
        var index = new OciIndex
        {
            MediaType = MediaTypes.Index,
            Manifests = [.. images.Select(i => i.Image.Manifest with
            {
                Annotations = i.Name is null ? null : ImmutableSortedDictionary<string, string>.Empty
                    .Add(Annotations.ContainerdName, i.Name)
                    .Add(Annotations.RefName, ImageReference.Parse(i.Name).Tag ?? "latest"),
            })],
        };
        Put(tar, "index.json", JsonSerializer.SerializeToUtf8Bytes(index, OciContentJson.Default.OciIndex));
        ImmutableArray<DockerArchiveImage> manifest = [.. images.GroupBy(i => i.Image.Id, StringComparer.Ordinal).Select(g => new DockerArchiveImage
        {
            Config = NameOf(g.Key),
            RepoTags = [.. g.Where(i => i.Name is not null).Select(i => ImageReference.Parse(i.Name!)).Where(n => n.Tag is not null).Select(n => n.Familiar)],
            Layers = [.. g.First().Image.Layers.Select(l => NameOf(l.Digest))],
        })];
        Put(tar, "manifest.json", JsonSerializer.SerializeToUtf8Bytes(manifest, OciContentJson.Default.ImmutableArrayDockerArchiveImage));
        Put(tar, "oci-layout", """{"imageLayoutVersion":"1.0.0"}"""u8.ToArray());
        tar.Finish();
    }

    private static void Put(TarComposer tar, string name, byte[] bytes) => tar.Write(Regular(name, bytes.Length), new MemoryStream(bytes));

    private static TarEntry Regular(string name, long size) => new() { Name = name, Kind = TarKind.Regular, Mode = 0x1a4, Size = size };

    private static string NameOf(string digest) => $"blobs/sha256/{Digests.Hex(digest)}";
}
