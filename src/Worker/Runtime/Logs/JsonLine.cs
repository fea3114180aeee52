using System.Buffers;
using System.Globalization;
using System.Text;

namespace Orchestrator.Worker.Runtime.Logs;

/// <summary>One line of Docker's json-file log: <c>{"log":"…\n","stream":"stdout","time":"2026-01-02T03:04:05.0000006Z"}</c>.</summary>
internal static class JsonLine
{
    /// <summary>Writes the line byte for byte as Docker does: HTML-sensitive and control characters as \u00xx, broken UTF-8 as \ufffd.</summary>
    internal static void Write(ArrayBufferWriter<byte> into, ReadOnlySpan<byte> text, bool complete, ReadOnlySpan<byte> ending)
    {
        if (complete || !text.IsEmpty)
        {
            into.Write("{\"log\":\""u8);
            Escape(into, text);
            into.Write(complete ? "\\n\","u8 : "\","u8);
        }
        else
        {
            into.Write("{"u8);
        }
        into.Write(ending);
    }

    /// <summary>What lines of one stream and one moment have in common, from their stream on.</summary>
    internal static byte[] Ending(ReadOnlySpan<byte> stream, DateTimeOffset time, ReadOnlySpan<byte> attributes = default)
    {
        var into = new ArrayBufferWriter<byte>(96);
        into.Write("\"stream\":\""u8);
        into.Write(stream);
        into.Write("\","u8);
        into.Write(attributes);
        into.Write("\"time\":\""u8);
        WriteTime(into, time);
        into.Write("\"}\n"u8);
        return into.WrittenSpan.ToArray();
    }

    /// <summary><c>"attrs":{…},</c> for every line of a container; nothing when it has none.</summary>
    internal static byte[] Attributes(IReadOnlyDictionary<string, string> attributes)
    {
        if (attributes.Count == 0)
            return [];
        var into = new ArrayBufferWriter<byte>();
        into.Write("\"attrs\":{"u8);
        var first = true;
        foreach (var (name, value) in attributes.OrderBy(a => a.Key, StringComparer.Ordinal))
        {
            into.Write(first ? "\""u8 : ",\""u8);
            Escape(into, Encoding.UTF8.GetBytes(name));
            into.Write("\":\""u8);
            Escape(into, Encoding.UTF8.GetBytes(value));
            into.Write("\""u8);
            first = false;
        }
        into.Write("},"u8);
        return into.WrittenSpan.ToArray();
    }

    /// <summary>RFC 3339 with as many decimals as are not zero.</summary>
    private static void WriteTime(ArrayBufferWriter<byte> into, DateTimeOffset time)
    {
        Span<byte> text = stackalloc byte[40];
        time.UtcDateTime.TryFormat(text, out var length, "yyyy-MM-ddTHH:mm:ss.FFFFFFFZ", CultureInfo.InvariantCulture);
        into.Write(text[..length]);
    }

    private static void Escape(ArrayBufferWriter<byte> into, ReadOnlySpan<byte> text)
    {
        while (!text.IsEmpty)
        {
            var plain = text.IndexOfAnyExceptInRange((byte)0x20, (byte)0x7e);
            var run = text[..(plain < 0 ? text.Length : plain)];
            var special = run.IndexOfAny("\"\\<>&"u8);
            if (special >= 0)
                run = run[..special];
            into.Write(run);
            text = text[run.Length..];
            if (text.IsEmpty)
                return;
            text = text[One(into, text)..];
        }
    }

    private static int One(ArrayBufferWriter<byte> into, ReadOnlySpan<byte> text)
    {
        switch (text[0])
        {
            case (byte)'"':
                into.Write("\\\""u8);
                return 1;
            case (byte)'\\':
                into.Write("\\\\"u8);
                return 1;
            case (byte)'\n':
                into.Write("\\n"u8);
                return 1;
            case (byte)'\r':
                into.Write("\\r"u8);
                return 1;
            case 0x7f:
                into.Write(text[..1]);
                return 1;
            case < 0x80:
                into.Write("\\u00"u8);
                into.Write([Hex(text[0] >> 4), Hex(text[0] & 0xf)]);
                return 1;
            default:
                break;
        }
        if (Rune.DecodeFromUtf8(text, out var rune, out var length) != OperationStatus.Done)
        {
            into.Write("\\ufffd"u8);
            return 1;
        }
        if (rune.Value is 0x2028 or 0x2029)
            into.Write(rune.Value == 0x2028 ? "\\u2028"u8 : "\\u2029"u8);
        else
            into.Write(text[..length]);
        return length;
    }

    private static byte Hex(int digit) => "0123456789abcdef"u8[digit];
}
