using Orchestrator.Shared.Protocol;

namespace Orchestrator.Worker.Containers.Logs;

/// <summary>Cuts a file's bytes into records; a line that is not whole yet stays until its rest comes.</summary>
internal sealed class LogLines(LogCodec codec)
{
    private byte[] buffer = new byte[64 << 10];
    private int begin;
    private int end;

    /// <summary>Reads on. False at the end of the file.</summary>
    internal async ValueTask<bool> FillAsync(Stream file, CancellationToken stop)
    {
        if (begin > 0)
        {
            buffer.AsSpan(begin, end - begin).CopyTo(buffer);
            end -= begin;
            begin = 0;
        }

        if (end == buffer.Length)
            Array.Resize(ref buffer, buffer.Length * 2);
        var read = await file.ReadAsync(buffer.AsMemory(end), stop);
        end += read;
        return read > 0;
    }

    /// <summary>The next whole record; damaged ones are passed over.</summary>
    internal LogRecord? Next()
    {
        while (buffer.AsSpan(begin, end - begin).IndexOf((byte)'\n') is >= 0 and var length)
        {
            var line = buffer.AsSpan(begin, length);
            begin += length + 1;
            if (codec.Parse(line) is { } record)
                return record;
        }

        return null;
    }

    /// <summary>Another file begins: half a line at the end of the last one gets no rest.</summary>
    internal void Reset() => begin = end = 0;
}
