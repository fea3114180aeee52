using System.Globalization;

namespace Orchestrator.Cli.Compose.Values;

/// <summary>Amounts of memory as docker reads them: a number and <c>b k m g t p</c>, with or without <c>b</c> or <c>ib</c>; units of 1024.</summary>
internal static class ByteSizes
{
    internal static Parsed<long> Parse(string text)
    {
        var rest = text.AsSpan().Trim();
        var digits = rest.IndexOfAnyExcept(Durations.Digits);
        var number = digits < 0 ? rest : rest[..digits];
        var unit = digits < 0 ? "" : rest[digits..].Trim().ToString().ToLowerInvariant();
        if (!decimal.TryParse(number, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var count))
            return Parsed<long>.Not($"'{text}' is not an amount of memory: write it as in 64m, 512M or 1.5g");
        var power = unit switch
        {
            "" or "b" => 0,
            "k" or "kb" or "kib" => 1,
            "m" or "mb" or "mib" => 2,
            "g" or "gb" or "gib" => 3,
            "t" or "tb" or "tib" => 4,
            "p" or "pb" or "pib" => 5,
            _ => -1,
        };
        if (power < 0)
            return Parsed<long>.Not($"'{text}' has an unknown unit '{unit}': known are b, k, m, g, t and p");
        var factor = (decimal)(1L << (10 * power));
        return count > long.MaxValue / factor
            ? Parsed<long>.Not($"'{text}' is more memory than can be counted")
            : (long)(count * factor);
    }
}
