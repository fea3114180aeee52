using System.Globalization;
using System.Text;

namespace Orchestrator.Shared.Rpc;

/// <summary>The two header values with a spelling of their own (github.com/grpc/grpc, doc/PROTOCOL-HTTP2.md).</summary>
internal static class RpcHeaderText
{
    private static readonly (char Unit, long Ticks)[] Units =
    [
        ('u', TimeSpan.TicksPerMicrosecond),
        ('m', TimeSpan.TicksPerMillisecond),
        ('S', TimeSpan.TicksPerSecond),
        ('M', TimeSpan.TicksPerMinute),
        ('H', TimeSpan.TicksPerHour),
    ];

    /// <summary>grpc-timeout: at most eight digits and a unit; rounded up, so that the server never gives up first.</summary>
    internal static string FormatTimeout(TimeSpan timeout)
    {
        foreach (var (unit, ticks) in Units)
        {
            var count = (timeout.Ticks / ticks) + (timeout.Ticks % ticks == 0 ? 0 : 1);
            if (count <= 99_999_999)
                return Math.Max(count, 0).ToString(CultureInfo.InvariantCulture) + unit;
        }

        return "99999999H";
    }

    internal static TimeSpan? ParseTimeout(string? text)
    {
        if (text is not { Length: >= 2 and <= 9 }
            || !long.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count))
        {
            return null;
        }

        if (text[^1] == 'n')
            return TimeSpan.FromTicks((count + 99) / 100);
        foreach (var (unit, ticks) in Units)
        {
            if (unit == text[^1])
                return TimeSpan.FromTicks(Math.Min(count, TimeSpan.MaxValue.Ticks / ticks) * ticks);
        }

        return null;
    }

    /// <summary>grpc-message: UTF-8, everything but printable ASCII and the percent sign itself as %XX.</summary>
    internal static string EncodeDetail(string detail)
    {
        var bytes = Encoding.UTF8.GetBytes(detail);
        var text = new StringBuilder(bytes.Length);
        foreach (var b in bytes)
        {
            if (b is >= 0x20 and <= 0x7e and not (byte)'%')
                text.Append((char)b);
            else
                text.Append('%').Append(b.ToString("X2", CultureInfo.InvariantCulture));
        }

        return text.ToString();
    }

    /// <summary>Undoes the encoding; what is no valid escape stays as it is, as the protocol wants.</summary>
    internal static string DecodeDetail(string text)
    {
        if (!text.Contains('%'))
            return text;
        var bytes = new List<byte>(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '%' && i + 2 < text.Length
                && byte.TryParse(text.AsSpan(i + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var b))
            {
                bytes.Add(b);
                i += 2;
            }
            else
            {
                bytes.AddRange(Encoding.UTF8.GetBytes(text, i, 1));
            }
        }

        return Encoding.UTF8.GetString([.. bytes]);
    }
}
