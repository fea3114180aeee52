using Orchestrator.Shared.Protocol;
using Orchestrator.Worker.Runtime;
using Orchestrator.Worker.Runtime.Logs;

namespace Orchestrator.Worker.Containers.Logs;

/// <summary>Reads one line of a log as its driver wrote it.</summary>
internal abstract class LogCodec
{
    internal static LogCodec Json { get; } = new JsonCodec();

    private static LogCodec Compact { get; } = new CompactCodec();

    internal static LogCodec Of(LogFormat format) => format == LogFormat.Compact ? Compact : Json;

    /// <summary>Null when the line is not one: a write that a crash cut off.</summary>
    internal abstract LogRecord? Parse(ReadOnlySpan<byte> line);

    /// <summary>It ends a line of the container's: else the rest is in the next.</summary>
    internal abstract bool EndsLine(ReadOnlySpan<byte> line);

    private sealed class JsonCodec : LogCodec
    {
        internal override LogRecord? Parse(ReadOnlySpan<byte> line) => JsonLogLine.Parse(line);

        // A record that ends a line of the container's has an escaped line end as its text's last character.
        internal override bool EndsLine(ReadOnlySpan<byte> line) => line.IndexOf("\\n\",\"stream\""u8) >= 0;
    }

    private sealed class CompactCodec : LogCodec
    {
        internal override LogRecord? Parse(ReadOnlySpan<byte> line)
        {
            if (!CompactLine.TryRead(line, out var error, out var complete, out var time))
                return null;
            var text = line[CompactLine.HeadLength..];
            var bytes = new byte[text.Length + (complete ? 1 : 0)];
            text.CopyTo(bytes);
            if (complete)
                bytes[^1] = (byte)'\n';
            return new LogRecord { Line = bytes, Stream = error ? "stderr" : "stdout", Time = time };
        }

        internal override bool EndsLine(ReadOnlySpan<byte> line) => CompactLine.TryRead(line.TrimEnd((byte)'\n'), out _, out var complete, out _) && complete;
    }
}
