using System.IO.Compression;
using Orchestrator.Worker.Runtime.Logs;

namespace Orchestrator.Worker.Containers.Logs;

/// <summary>One file of a log, whatever it is called by now.</summary>
internal sealed class LogPart : IAsyncDisposable
{
    private readonly FileStream file;
    private FileStream? plain;

    private LogPart(FileStream file, ulong identity, bool compressed)
    {
        this.file = file;
        Identity = identity;
        IsCompressed = compressed;
    }

    /// <summary>The same for a file before and after it was compressed.</summary>
    internal ulong Identity { get; }

    internal bool IsCompressed { get; }

    /// <summary>Its lines, seekable. A compressed file is unpacked beside the temporary files when it is first asked for.</summary>
    internal Stream Lines => IsCompressed ? plain ??= Unpack() : file;

    /// <summary>The file with this name, plain or compressed; null when there is neither.</summary>
    internal static LogPart? TryOpen(string path)
    {
        if (TryOpenFile(path) is { } found)
            return new LogPart(found, LogIdentity.Of(found), compressed: false);
        if (TryOpenFile(path + LogRotation.Compressed) is not { } packed)
            return null;
        // One that bears no number was made by another program: nobody reads on from it.
        return new LogPart(packed, LogIdentity.OfCompressed(packed) ?? LogIdentity.Of(packed), compressed: true);
    }

    public async ValueTask DisposeAsync()
    {
        await file.DisposeAsync();
        if (plain is not null)
            await plain.DisposeAsync();
    }

    private FileStream Unpack()
    {
        var unpacked = new FileStream(
            Path.Combine(Path.GetTempPath(), $"orch-log-{Guid.NewGuid():n}"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 64 << 10, FileOptions.DeleteOnClose);
        try
        {
            file.Position = 0;
            using var gzip = new GZipStream(file, CompressionMode.Decompress, leaveOpen: true);
            gzip.CopyTo(unpacked);
            unpacked.Position = 0;
            return unpacked;
        }
        catch
        {
            unpacked.Dispose();
            throw;
        }
    }

    private static FileStream? TryOpenFile(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }
}
