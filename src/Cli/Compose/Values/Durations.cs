using System.Buffers;
using System.Globalization;

namespace Orchestrator.Cli.Compose.Values;

/// <summary>Durations as Go and compose write them: <c>1h30m</c>, <c>1.5s</c>, <c>500ms</c>, and compose's <c>d</c> and <c>w</c>.</summary>
internal static class Durations
{
    internal static readonly SearchValues<char> Digits = SearchValues.Create("0123456789.");

    internal static Parsed<TimeSpan> Parse(string text)
    {
        var rest = text.AsSpan().Trim();
        if (rest is "0")
            return TimeSpan.Zero;
        var negative = rest is ['-', ..];
        if (rest is ['-' or '+', ..])
            rest = rest[1..];
        if (rest.IsEmpty)
            return Wrong(text);
        decimal nanoseconds = 0;
        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExcept(Digits);
            if (digits < 0)
                return Parsed<TimeSpan>.Not($"'{text}' has no unit: write a duration as in 10s, 1m30s or 500ms");
            if (digits == 0 || !decimal.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count))
                return Wrong(text);
            rest = rest[digits..];
            var length = rest.IndexOfAny(Digits);
            var unit = length < 0 ? rest : rest[..length];
            decimal? factor = unit switch
            {
                "ns" => 1,
                "us" or "µs" or "μs" => 1_000,
                "ms" => 1_000_000,
                "s" => 1_000_000_000,
                "m" => 60m * 1_000_000_000,
                "h" => 3600m * 1_000_000_000,
                "d" => 86_400m * 1_000_000_000,
                "w" => 604_800m * 1_000_000_000,
                _ => null,
            };
            if (factor is not { } each)
                return Parsed<TimeSpan>.Not($"'{text}' has an unknown unit '{unit}': known are ns, us, ms, s, m, h, d and w");
            rest = rest[unit.Length..];
            if (count > long.MaxValue / each || (nanoseconds += count * each) > long.MaxValue)
                return Parsed<TimeSpan>.Not($"'{text}' is too long a duration");
        }
        var ticks = (long)(nanoseconds / TimeSpan.NanosecondsPerTick);
        return TimeSpan.FromTicks(negative ? -ticks : ticks);
    }

    private static Parsed<TimeSpan> Wrong(string text) =>
        Parsed<TimeSpan>.Not($"'{text}' is not a duration: write it as in 10s, 1m30s or 500ms");
}
