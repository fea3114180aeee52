using Orchestrator.Shared.Protocol;

namespace Orchestrator.Worker.Containers.Logs;

/// <summary>Puts long lines together again that the log holds in parts: a part has no line end.</summary>
internal sealed class LogAssembler
{
    /// <summary>A line without end is given out in pieces of this size.</summary>
    internal const int MostHeld = 1 << 20;

    private readonly Dictionary<string, (LogRecord First, MemoryStream Bytes)> open = new(StringComparer.Ordinal);

    /// <summary>The whole line when the record completes one. Its time is that of its first part.</summary>
    internal LogRecord? Add(LogRecord record)
    {
        var complete = record.Line.Span is [.., (byte)'\n'];
        if (!open.TryGetValue(record.Stream, out var line))
        {
            if (complete)
                return record;
            line = (record, new MemoryStream());
            open[record.Stream] = line;
        }

        line.Bytes.Write(record.Line.Span);
        return complete || line.Bytes.Length >= MostHeld ? Take(record.Stream) : null;
    }

    /// <summary>What has no end and gets none any more, oldest first.</summary>
    internal IEnumerable<LogRecord> Rest() => [.. open.Keys.ToList().Select(Take).OrderBy(r => r.Time)];

    private LogRecord Take(string stream)
    {
        open.Remove(stream, out var line);
        using (line.Bytes)
            return line.First with { Line = line.Bytes.ToArray() };
    }
}
