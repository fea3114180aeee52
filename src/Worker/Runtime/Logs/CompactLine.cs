using System.Buffers;
using System.Buffers.Text;
using System.Globalization;

namespace Orchestrator.Worker.Runtime.Logs;

/// <summary>
/// One line of the driver <c>local</c>: <c>o.08dc3f5a2b1c0d00 text\n</c>: the stream (<c>o</c> or <c>e</c>), whether the text had a line end
/// (<c>.</c>) or not (<c>~</c>), the time in 100 ns since the year 1 (UTC) in hexadecimal, a space, the bytes as they were written. A line
/// holds no line end inside, so nothing is escaped.
/// </summary>
internal static class CompactLine
{
    /// <summary>Bytes before the text.</summary>
    internal const int HeadLength = 19;

    private const int StreamAt = 0;
    private const int EndAt = 1;
    private const int TimeAt = 2;
    private const byte Complete = (byte)'.';
    private const byte Partial = (byte)'~';

    internal static void Write(ArrayBufferWriter<byte> into, ReadOnlySpan<byte> text, bool complete, ReadOnlySpan<byte> stream, DateTimeOffset time)
    {
        var head = into.GetSpan(HeadLength);
        head[StreamAt] = stream[3]; // std(o)ut, std(e)rr
        head[EndAt] = complete ? Complete : Partial;
        if (!Utf8Formatter.TryFormat(time.UtcTicks, head[TimeAt..], out _, new StandardFormat('x', HeadLength - TimeAt - 1)))
            throw new System.Diagnostics.UnreachableException();
        head[HeadLength - 1] = (byte)' ';
        into.Advance(HeadLength);
        into.Write(text);
        into.Write("\n"u8);
    }

    /// <summary>Takes a line (without its end) apart; false when it is damaged.</summary>
    internal static bool TryRead(ReadOnlySpan<byte> line, out bool error, out bool complete, out DateTimeOffset time)
    {
        (error, complete, time) = (false, false, default);
        if (line.Length < HeadLength || line[StreamAt] is not ((byte)'o' or (byte)'e') || line[EndAt] is not (Complete or Partial) || line[HeadLength - 1] != (byte)' ')
            return false;
        if (!long.TryParse(line[TimeAt..(HeadLength - 1)], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var ticks)
            || ticks < DateTime.MinValue.Ticks || ticks > DateTime.MaxValue.Ticks)
            return false;
        (error, complete, time) = (line[StreamAt] == (byte)'e', line[EndAt] == Complete, new DateTimeOffset(ticks, TimeSpan.Zero));
        return true;
    }
}
