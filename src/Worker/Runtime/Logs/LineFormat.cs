using System.Buffers;

namespace Orchestrator.Worker.Runtime.Logs;

/// <summary>How one line of output stands in a log.</summary>
internal abstract class LineFormat
{
    internal static LineFormat Json => new JsonLines([]);

    internal static LineFormat Of(LogTarget target) => target.Format switch
    {
        LogFormat.Json => new JsonLines(JsonLine.Attributes(target.Attributes)),
        LogFormat.Compact => new CompactLines(),
        LogFormat.None => new NoLines(),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    /// <param name="into">Gets the line.</param>
    /// <param name="text">Without its line end.</param>
    /// <param name="complete">It had one: else the rest of the line follows, or the stream ended.</param>
    /// <param name="stream"><c>stdout</c> or <c>stderr</c>.</param>
    /// <param name="time">When it began.</param>
    internal abstract void Write(ArrayBufferWriter<byte> into, ReadOnlySpan<byte> text, bool complete, ReadOnlySpan<byte> stream, DateTimeOffset time);

    /// <summary>Lines that were read together bear one time, which is written out once.</summary>
    private sealed class JsonLines(byte[] attributes) : LineFormat
    {
        private byte[] ending = [];
        private byte[] endingStream = [];
        private DateTimeOffset endingTime;

        internal override void Write(ArrayBufferWriter<byte> into, ReadOnlySpan<byte> text, bool complete, ReadOnlySpan<byte> stream, DateTimeOffset time)
        {
            if (time != endingTime || !stream.SequenceEqual(endingStream))
            {
                ending = JsonLine.Ending(stream, time, attributes);
                endingStream = stream.ToArray();
                endingTime = time;
            }
            JsonLine.Write(into, text, complete, ending);
        }
    }

    private sealed class CompactLines : LineFormat
    {
        internal override void Write(ArrayBufferWriter<byte> into, ReadOnlySpan<byte> text, bool complete, ReadOnlySpan<byte> stream, DateTimeOffset time) =>
            CompactLine.Write(into, text, complete, stream, time);
    }

    private sealed class NoLines : LineFormat
    {
        internal override void Write(ArrayBufferWriter<byte> into, ReadOnlySpan<byte> text, bool complete, ReadOnlySpan<byte> stream, DateTimeOffset time)
        {
        }
    }
}
