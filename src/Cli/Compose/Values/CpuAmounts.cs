using System.Globalization;

namespace Orchestrator.Cli.Compose.Values;

/// <summary>Parts of CPUs, <c>0.5</c>, in billionths.</summary>
internal static class CpuAmounts
{
    internal static Parsed<long> Parse(string text)
    {
        if (!decimal.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var cpus))
            return Parsed<long>.Not($"'{text}' is not a number of CPUs: write it as in 0.5 or 2");
        if (cpus < 0)
            return Parsed<long>.Not($"'{text}' is less than no CPU");
        if (cpus > 1_000_000)
            return Parsed<long>.Not($"'{text}' is more CPUs than any host has");
        var nano = cpus * 1_000_000_000m;
        return nano == decimal.Truncate(nano)
            ? (long)nano
            : Parsed<long>.Not($"'{text}' is too precise: a CPU is divided into billionths");
    }
}
