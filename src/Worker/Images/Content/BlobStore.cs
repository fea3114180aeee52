namespace Orchestrator.Worker.Images.Content;

/// <summary>Content by digest in an OCI image layout (image-spec image-layout.md): <c>blobs/sha256/…</c> under the root.</summary>
internal sealed class BlobStore(string root, Pins pins)
{
    private const string LayoutFile = """{"imageLayoutVersion":"1.0.0"}""";

    private readonly string _blobs = Path.Combine(root, "blobs", "sha256");
    private readonly string _ingest = Path.Combine(root, "ingest");
    private int _next;

    internal string Root { get; } = root;

    /// <summary>Makes the folders and removes what was on its way in when the last daemon died.</summary>
    internal void Prepare()
    {
        PrivateFolder.Make(Root);
        Directory.CreateDirectory(_blobs);
        if (Directory.Exists(_ingest))
            Directory.Delete(_ingest, recursive: true);
        Directory.CreateDirectory(_ingest);
        var layout = Path.Combine(Root, "oci-layout");
        if (!File.Exists(layout))
            AtomicFile.Write(layout, System.Text.Encoding.ASCII.GetBytes(LayoutFile));
    }

    internal string PathOf(string digest) => Path.Combine(_blobs, Digests.Hex(digest));

    internal bool Has(string digest) => File.Exists(PathOf(digest));

    /// <summary>A name for a temporary file or folder; <see cref="Prepare"/> removes leftovers.</summary>
    internal string TemporaryPath(string kind) => Path.Combine(_ingest, $"{kind}-{Interlocked.Increment(ref _next)}");

    internal BlobWriter Writer(Pins.Scope scope) => new(this, TemporaryPath("blob"), scope);

    internal FileStream Open(string digest)
    {
        try
        {
            return new(PathOf(digest), FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 128 * 1024, FileOptions.SequentialScan);
        }
        catch (FileNotFoundException e)
        {
            throw ImageException.Bad($"content {digest} is missing", e);
        }
    }

    /// <summary>Takes in a whole stream.</summary>
    internal Blob Put(Stream content, string? expected, Pins.Scope scope)
    {
        using var writer = Writer(scope);
        content.CopyTo(writer);
        return writer.Commit(expected);
    }

    internal Blob Put(ReadOnlySpan<byte> content, Pins.Scope scope)
    {
        using var writer = Writer(scope);
        writer.Write(content);
        return writer.Commit();
    }

    /// <summary>Deletes what is neither in what <paramref name="needed"/> answers nor pinned; answers the bytes given back.</summary>
    internal long Collect(Func<IReadOnlySet<string>> needed)
    {
        var freed = 0L;
        lock (pins.Gate)
        {
            var keep = needed();
            foreach (var file in new DirectoryInfo(_blobs).GetFiles())
            {
                var digest = Digests.Sha256 + file.Name;
                if (keep.Contains(digest) || pins.IsPinned(digest))
                    continue;
                freed += file.Length;
                file.Delete();
            }
        }
        return freed;
    }
}
