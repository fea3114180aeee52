using System.Globalization;

namespace Orchestrator.Cli.Output;

/// <summary>Times and sizes in docker's words (github.com/docker/go-units).</summary>
internal static class Humanized
{
    private static readonly string[] DecimalUnits = ["B", "kB", "MB", "GB", "TB", "PB", "EB"];
    private static readonly string[] BinaryUnits = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

    /// <summary><c>3 minutes</c>, <c>About an hour</c>.</summary>
    internal static string Duration(TimeSpan d)
    {
        var seconds = (long)d.TotalSeconds;
        var minutes = (long)d.TotalMinutes;
        var hours = (long)(d.TotalHours + 0.5);
        return seconds < 1 ? "Less than a second"
            : seconds == 1 ? "1 second"
            : seconds < 60 ? $"{seconds} seconds"
            : minutes == 1 ? "About a minute"
            : minutes < 60 ? $"{minutes} minutes"
            : hours == 1 ? "About an hour"
            : hours < 48 ? $"{hours} hours"
            : hours < 24 * 7 * 2 ? $"{hours / 24} days"
            : hours < 24 * 30 * 2 ? $"{hours / 24 / 7} weeks"
            : hours < 24 * 365 * 2 ? $"{hours / 24 / 30} months"
            : $"{(long)(d.TotalHours / 24 / 365)} years";
    }

    internal static string Ago(DateTimeOffset then, DateTimeOffset now) => Duration(now - then) + " ago";

    /// <summary>As Go prints a duration: <c>1m30s</c>, <c>1.5s</c>, <c>200ms</c>.</summary>
    internal static string Span(TimeSpan span)
    {
        if (span < TimeSpan.FromSeconds(1))
            return span == TimeSpan.Zero ? "0s" : string.Create(CultureInfo.InvariantCulture, $"{span.TotalMilliseconds:0.######}ms");
        var seconds = string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds % 60:0.#######}s");
        return span < TimeSpan.FromMinutes(1) ? seconds
            : span < TimeSpan.FromHours(1) ? $"{(int)span.TotalMinutes}m{seconds}"
            : $"{(int)span.TotalHours}h{span.Minutes}m{seconds}";
    }

    /// <summary>Units of 1000, as for images: <c>12.3MB</c>.</summary>
    internal static string Size(long bytes) => Scaled(bytes, 1000, 3, DecimalUnits);

    /// <summary>The same with one digit more, as for what is reclaimed: <c>1.093MB</c>.</summary>
    internal static string Size4(long bytes) => Scaled(bytes, 1000, 4, DecimalUnits);

    /// <summary>Units of 1024, as for memory: <c>7.775GiB</c>.</summary>
    internal static string BinarySize(long bytes) => Scaled(bytes, 1024, 4, BinaryUnits);

    private static string Scaled(double amount, double unit, int digits, string[] names)
    {
        var i = 0;
        while (amount >= unit && i < names.Length - 1)
        {
            amount /= unit;
            i++;
        }
        return Significant(amount, digits) + names[i];
    }

    /// <summary>Go's %.Ng without its exponent.</summary>
    private static string Significant(double amount, int digits)
    {
        var whole = Math.Truncate(Math.Abs(amount)).ToString("F0", CultureInfo.InvariantCulture).Length;
        return Math.Round(amount, Math.Max(0, digits - whole)).ToString("0.####", CultureInfo.InvariantCulture);
    }
}
