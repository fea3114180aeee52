using System.Globalization;
using System.IO.Compression;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Runtime.Logs;

/// <summary>The files of one log: <c>x.log</c> is written, <c>x.log.1</c> came before it, and so on; older ones may be compressed.</summary>
internal sealed class LogRotation(LogTarget target, Action<Exception> failed) : IDisposable
{
    internal const string Compressed = ".gz";
    private const string Unfinished = ".gz.part";
    private const int Chunk = 64 * 1024;

    private readonly Lock gate = new();
    private Task compressing = Task.CompletedTask;
    private bool closed;

    /// <summary>The newest file, to be appended to.</summary>
    internal SafeFileHandle Open()
    {
        if (target.Compress)
            File.Delete(target.Path + Unfinished); // of a process that died
        return Open(FileMode.OpenOrCreate);
    }

    /// <summary>Moves every file by one, drops the oldest and begins a new one.</summary>
    internal SafeFileHandle Rotate()
    {
        lock (gate)
        {
            foreach (var suffix in (ReadOnlySpan<string>)["", Compressed])
                File.Delete(NameOf(target.Path, target.MaxFiles - 1) + suffix); // with one file only, the newest itself
            for (var number = target.MaxFiles - 1; number > 0; number--)
            {
                foreach (var suffix in (ReadOnlySpan<string>)["", Compressed])
                {
                    var older = NameOf(target.Path, number - 1) + suffix;
                    if (File.Exists(older))
                        File.Move(older, NameOf(target.Path, number) + suffix, overwrite: true);
                }
            }
            var file = Open(FileMode.OpenOrCreate);
            if (target.Compress && target.MaxFiles > 1 && compressing.IsCompleted && !closed)
                compressing = Task.Run(CompressAll);
            return file;
        }
    }

    /// <summary>Makes room on a full disk by what is allowed to be lost anyway; false when there is nothing but the newest file.</summary>
    internal bool DropOldest()
    {
        lock (gate)
        {
            for (var number = target.MaxFiles - 1; number > 0; number--)
            {
                foreach (var suffix in (ReadOnlySpan<string>)["", Compressed])
                {
                    var oldest = NameOf(target.Path, number) + suffix;
                    if (!File.Exists(oldest))
                        continue;
                    File.Delete(oldest);
                    failed(new IOException($"{oldest} was removed to make room on a full disk"));
                    return true;
                }
            }
            return false;
        }
    }

    /// <summary>Compression ends between two chunks: what is not compressed then is so at the next rotation.</summary>
    public void Dispose()
    {
        lock (gate)
            closed = true;
        compressing.GetAwaiter().GetResult();
    }

    internal static string NameOf(string path, int number) => number == 0 ? path : string.Create(CultureInfo.InvariantCulture, $"{path}.{number}");

    private void CompressAll()
    {
        var part = target.Path + Unfinished;
        try
        {
            while (Next() is { } source)
            {
                using (source)
                {
                    if (!Write(source, part) || !Replace(source, part))
                    {
                        File.Delete(part);
                        return;
                    }
                }
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            failed(error);
            if (Directory.Exists(Path.GetDirectoryName(part)))
                File.Delete(part);
        }
    }

    private FileStream? Next()
    {
        lock (gate)
        {
            for (var number = 1; number < target.MaxFiles && !closed; number++)
            {
                if (File.Exists(NameOf(target.Path, number)))
                    return new FileStream(NameOf(target.Path, number), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            }
            return null;
        }
    }

    private bool Write(FileStream source, string part)
    {
        using var output = new FileStream(part, FileMode.Create, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        output.Write(LogIdentity.Member(source));
        using var gzip = new GZipStream(output, CompressionLevel.Optimal);
        var buffer = new byte[Chunk];
        while (source.Read(buffer) is > 0 and var count)
        {
            gzip.Write(buffer, 0, count);
            lock (gate)
            {
                if (closed)
                    return false;
            }
        }
        return true;
    }

    /// <summary>It may have been rotated on meanwhile, or out: the kernel keeps the name of an open file.</summary>
    private bool Replace(FileStream source, string part)
    {
        lock (gate)
        {
            var name = new FileInfo($"/proc/self/fd/{source.SafeFileHandle.DangerousGetHandle()}").LinkTarget;
            if (closed || name is null)
                return false;
            if (!File.Exists(name))
            {
                File.Delete(part);
                return true;
            }
            File.Move(part, name + Compressed, overwrite: true);
            File.Delete(name);
            return true;
        }
    }

    private SafeFileHandle Open(FileMode mode) => File.OpenHandle(target.Path, mode, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
}
