using System.Buffers;
using System.Globalization;

namespace Orchestrator.Shared.Http;

/// <summary>The moments that stock clients send in <c>since</c> and <c>until</c>, and the form in which logs and events name one.</summary>
public static class ApiTimes
{
    private static readonly SearchValues<char> NumberDigits = SearchValues.Create("0123456789.");

    /// <summary>Unix seconds with an optional fraction up to nanoseconds, RFC 3339, or Go's duration before <paramref name="now"/>; null when it is none.</summary>
    public static DateTimeOffset? Parse(string text, DateTimeOffset now)
    {
        var dot = text.IndexOf('.', StringComparison.Ordinal);
        var whole = dot < 0 ? text : text[..dot];
        var fraction = dot < 0 ? "" : text[(dot + 1)..];
        if (long.TryParse(whole, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds)
            && fraction.All(char.IsAsciiDigit) && seconds is >= -62_135_596_800 and <= 253_402_300_799)
        {
            var ticks = fraction.Length == 0 ? 0 : long.Parse(fraction.PadRight(7, '0')[..7], CultureInfo.InvariantCulture);
            return DateTimeOffset.FromUnixTimeSeconds(seconds).AddTicks(ticks);
        }

        if (GoDuration(text) is { } before)
            return now - before;
        return text.Contains('T', StringComparison.Ordinal)
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment)
            ? moment
            : null;
    }

    /// <summary>Go's <c>1h30m5s</c>, <c>250ms</c>; null when the text is none.</summary>
    public static TimeSpan? GoDuration(ReadOnlySpan<char> text)
    {
        var total = 0.0;
        if (text.IsEmpty)
            return null;
        while (!text.IsEmpty)
        {
            var digits = text.IndexOfAnyExcept(NumberDigits);
            if (digits <= 0 || !double.TryParse(text[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
                return null;
            text = text[digits..];
            var unit = text.IndexOfAny(NumberDigits) is var next and >= 0 ? text[..next] : text;
            text = text[unit.Length..];
            double? milliseconds = unit switch
            {
                "h" => 3_600_000,
                "m" => 60_000,
                "s" => 1000,
                "ms" => 1,
                "us" or "µs" => 1e-3,
                "ns" => 1e-6,
                _ => null,
            };
            if (milliseconds is null)
                return null;
            total += number * milliseconds.Value;
        }

        return total <= TimeSpan.MaxValue.TotalMilliseconds / 2 ? TimeSpan.FromMilliseconds(total) : null;
    }

    /// <summary>Nanoseconds since 1970, as events carry them.</summary>
    public static long UnixNanoseconds(DateTimeOffset moment) => (moment.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) * TimeSpan.NanosecondsPerTick;

    /// <summary>Go's RFC3339NanoFixed in UTC, as it stands before a log line with timestamps.</summary>
    public static string Fixed(DateTimeOffset moment) => moment.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffffff00Z", CultureInfo.InvariantCulture);
}
