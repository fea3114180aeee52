using Microsoft.Win32.SafeHandles;

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

    private SafeFileHandle Open(FileMode mode) =>
        File.OpenHandle(target.Path, mode, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
}
