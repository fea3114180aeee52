using Orchestrator.Worker.Images.Content;

namespace Orchestrator.Worker.Images.Archives;

/// <summary>An incoming archive on disk, uncompressed: archives name things before or after they hold them, so they need random access.</summary>
internal sealed class Spool : IDisposable
{
    private Spool(string path) => Path = path;

    internal string Path { get; }

    /// <summary>Takes in the whole stream.</summary>
    internal static async Task<Spool> ReceiveAsync(Stream source, BlobStore blobs, string what, CancellationToken stop)
    {
        var spool = new Spool(blobs.TemporaryPath("spool"));
        try
        {
            await using (var file = new FileStream(spool.Path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 0))
                await source.CopyToAsync(file, 256 * 1024, stop);
            return await Task.Run(() => Expand(spool, blobs, what), stop);
        }
        catch
        {
            spool.Dispose();
            throw;
        }
    }

    internal FileStream Open() => new(Path, FileMode.Open, FileAccess.Read, FileShare.Read, 128 * 1024);

    public void Dispose() => File.Delete(Path);

    private static Spool Expand(Spool raw, BlobStore blobs, string what)
    {
        using var file = raw.Open();
        using var plain = Compression.Open(file, what);
        if (ReferenceEquals(plain, file))
            return raw;
        var expanded = new Spool(blobs.TemporaryPath("spool"));
        try
        {
            using var target = new FileStream(expanded.Path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 0);
            plain.CopyTo(target, 256 * 1024);
        }
        catch (InvalidDataException e)
        {
            expanded.Dispose();
            throw ImageException.Bad($"{what} is damaged: {e.Message}", e);
        }
        raw.Dispose();
        return expanded;
    }
}
