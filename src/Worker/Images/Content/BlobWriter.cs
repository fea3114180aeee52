using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Shared.Streams;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Images.Content;

/// <summary>A blob on its way in: bytes go to a temporary file and through the hash; only <see cref="Commit"/> makes it content.</summary>
internal sealed class BlobWriter : ForwardStream
{
    private readonly BlobStore _store;
    private readonly Pins.Scope _pins;
    private readonly string _path;
    private readonly FileStream _file;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private long _length;

    internal BlobWriter(BlobStore store, string path, Pins.Scope pins)
    {
        (_store, _path, _pins) = (store, path, pins);
        _file = new(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 128 * 1024);
    }

    public override bool CanWrite => true;
    public override long Length => _length;

    public override long Position
    {
        get => _length;
        set => throw new NotSupportedException();
    }

    public override void Write(ReadOnlySpan<byte> buffer)
    {
        _hash.AppendData(buffer);
        _file.Write(buffer);
        _length += buffer.Length;
    }

    /// <summary>Checks the digest, puts the bytes on the disk and gives the file its name. After a crash the blob is whole or absent.</summary>
    /// <exception cref="ImageException">The content is not what <paramref name="expected"/> promised.</exception>
    internal Blob Commit(string? expected = null)
    {
        var digest = Digests.Of(_hash.GetHashAndReset());
        if (expected is not null && digest != expected)
            throw ImageException.Bad($"content does not fit its digest: expected {expected}, the {_length} bytes have {digest}");
        _pins.Add(digest);
        var target = _store.PathOf(digest);
        _file.Flush();
        if (!File.Exists(target))
        {
            SafeFileHandle handle = _file.SafeFileHandle;
            FileOps.Sync(handle, _path);
            File.Move(_path, target, overwrite: true);
            FileOps.SyncDirectory(Path.GetDirectoryName(target)!);
        }
        return new(digest, _length);
    }

    public override void Flush() => _file.Flush();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _hash.Dispose();
            _file.Dispose();
            File.Delete(_path);
        }
        base.Dispose(disposing);
    }
}
