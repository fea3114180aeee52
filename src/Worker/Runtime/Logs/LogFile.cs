using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Runtime.Logs;

/// <summary>
/// A log that is appended to and rotated by size, as Docker's drivers do it. A disk that is full or broken takes lines away, never the
/// container: what cannot be written is dropped and told, and the next write tries again.
/// </summary>
internal sealed class LogFile : IDisposable
{
    private readonly LogTarget target;
    private readonly Action<Exception> failed;
    private readonly LogRotation rotation;
    private readonly LogBuffer? buffer;
    private SafeFileHandle? file;
    private long size;
    private long dropped;
    private ulong inode;

    /// <param name="target">Where and how.</param>
    /// <param name="failed">Told when lines begin to be dropped, and how much was when that is over.</param>
    internal LogFile(LogTarget target, Action<Exception>? failed = null)
    {
        this.target = target;
        this.failed = failed ?? (_ => { });
        rotation = new LogRotation(target, this.failed);
        if (target.Format == LogFormat.None)
            return;
        file = Reopen();
        if (target.BufferBytes is { } most)
            buffer = new LogBuffer(most, Write);
    }

    /// <summary>Appends whole lines; one file never holds a part of a line.</summary>
    internal void Append(ReadOnlySpan<byte> lines)
    {
        if (target.Format == LogFormat.None)
            return;
        if (buffer is null)
            Write(lines);
        else if (!buffer.Offer(lines))
            Interlocked.Add(ref dropped, lines.Length);
    }

    public void Dispose()
    {
        buffer?.Dispose();
        TellDropped();
        rotation.Dispose();
        file?.Dispose();
    }

    private void Write(ReadOnlySpan<byte> lines)
    {
        while (!lines.IsEmpty)
        {
            var fit = lines.Length;
            try
            {
                file ??= Reopen();
                if (target.MaxSizeBytes is { } limit)
                {
                    if (size >= limit)
                        Rotate();
                    fit = UpTo(lines, limit - size);
                }
                RandomAccess.Write(file, lines[..fit], size);
                size += fit;
                TellDropped();
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                CutOff();
                if (rotation.DropOldest())
                    continue;
                if (Interlocked.Add(ref dropped, fit) == fit)
                    failed(error);
            }
            lines = lines[fit..];
        }
    }

    /// <summary>Bytes of the current file.</summary>
    internal long Size => size;

    /// <summary>Tells the current file from those it was rotated to; 0: what was appended need not be there yet.</summary>
    internal ulong Inode => buffer is null ? inode : 0;

    /// <summary>Forgets what was appended to this very file beyond a size; after a rotation nothing happens.</summary>
    internal void CutTo(long length, ulong of)
    {
        if (of == 0 || of != Inode || length >= size || file is null)
            return;
        RandomAccess.SetLength(file, length);
        size = length;
    }

    /// <summary>Half a line must not stay: a reader would take it and the next for one.</summary>
    private void CutOff()
    {
        try
        {
            if (file is not null)
                RandomAccess.SetLength(file, size);
        }
        catch (IOException error)
        {
            failed(error);
        }
    }

    private void TellDropped()
    {
        if (dropped > 0 && Interlocked.Exchange(ref dropped, 0) is > 0 and var lost)
            failed(new IOException($"{lost} bytes could not be written to {target.Path} and were dropped"));
    }

    private void Rotate()
    {
        file?.Dispose();
        file = null; // until there is a new one
        file = rotation.Rotate();
        inode = FileOps.Status(target.Path)?.Inode ?? 0;
        size = 0;
    }

    private SafeFileHandle Reopen()
    {
        var opened = rotation.Open();
        size = RandomAccess.GetLength(opened);
        inode = FileOps.Status(target.Path)?.Inode ?? 0;
        return opened;
    }

    /// <summary>Length of the lines with which so many bytes are reached; at least one line.</summary>
    private static int UpTo(ReadOnlySpan<byte> lines, long bytes)
    {
        if (lines.Length <= bytes)
            return lines.Length;
        var start = (int)Math.Max(bytes - 1, 0);
        return start + lines[start..].IndexOf((byte)'\n') + 1;
    }
}
