using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Runtime.Logs;

/// <summary>A log file that is appended to and rotated by size, as Docker's json-file driver does it.</summary>
internal sealed class LogFile : IDisposable
{
    private readonly LogTarget target;
    private SafeFileHandle file;
    private long size;

    internal LogFile(LogTarget target)
    {
        this.target = target;
        file = Open(FileMode.OpenOrCreate);
        size = RandomAccess.GetLength(file);
    }

    /// <summary>Appends whole lines; one file never holds a part of a line.</summary>
    internal void Append(ReadOnlySpan<byte> lines)
    {
        while (!lines.IsEmpty)
        {
            var fit = lines.Length;
            if (target.MaxSizeBytes is { } limit)
            {
                if (size >= limit)
                    Rotate();
                fit = UpTo(lines, limit - size);
            }
            RandomAccess.Write(file, lines[..fit], size);
            size += fit;
            lines = lines[fit..];
        }
    }

    /// <summary>Bytes of the current file.</summary>
    internal long Size => size;

    /// <summary>Tells the current file from those it was rotated to.</summary>
    internal ulong Inode { get; private set; }

    /// <summary>Forgets what was appended to this very file beyond a size; after a rotation nothing happens.</summary>
    internal void CutTo(long length, ulong inode)
    {
        if (inode != Inode || length >= size)
            return;
        RandomAccess.SetLength(file, length);
        size = length;
    }

    public void Dispose() => file.Dispose();

    /// <summary>Length of the lines with which so many bytes are reached; at least one line.</summary>
    private static int UpTo(ReadOnlySpan<byte> lines, long bytes)
    {
        if (lines.Length <= bytes)
            return lines.Length;
        var start = (int)Math.Max(bytes - 1, 0);
        return start + lines[start..].IndexOf((byte)'\n') + 1;
    }

    private void Rotate()
    {
        file.Dispose();
        for (var number = target.MaxFiles - 1; number > 0; number--)
        {
            var older = number == 1 ? target.Path : $"{target.Path}.{number - 1}";
            if (File.Exists(older))
                File.Move(older, $"{target.Path}.{number}", overwrite: true);
        }
        file = Open(FileMode.Create);
        size = 0;
    }

    private SafeFileHandle Open(FileMode mode)
    {
        var opened = File.OpenHandle(target.Path, mode, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        Inode = FileOps.Status(target.Path)?.Inode ?? 0;
        return opened;
    }
}
