using System.Globalization;
using Orchestrator.Cli.Compose.Values;

namespace Orchestrator.Cli.Commands.Logs;

/// <summary><c>--since</c> and <c>--until</c>: a duration back from now, a date, or Unix seconds; sent as Unix seconds.</summary>
internal static class TimeFlag
{
    internal static string? Unix(string? text, DateTimeOffset now)
    {
        if (string.IsNullOrEmpty(text))
            return null;
        if (decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out _))
            return text;
        if (Durations.Parse(text) is { Error: null } duration)
            return Seconds(now - duration.Value);
        return DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeLocal, out var time)
            ? Seconds(time)
            : throw new CommandException($"'{text}' is neither a time (2013-01-02T13:23:37Z) nor a duration (42m)");
    }

    private static string Seconds(DateTimeOffset time)
    {
        var ticks = time.UtcTicks - DateTimeOffset.UnixEpoch.Ticks;
        return $"{ticks / TimeSpan.TicksPerSecond}.{ticks % TimeSpan.TicksPerSecond * 100:D9}";
    }
}
