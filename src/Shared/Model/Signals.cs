using System.Globalization;

namespace Orchestrator.Shared.Model;

/// <summary>Signals by name, as signal(7) numbers them on x86-64 and arm64.</summary>
public static class Signals
{
    public const int Terminate = 15;
    public const int Kill = 9;

    private const int RealTimeFirst = 34;
    private const int Last = 64;

    private static readonly string[] Names =
    [
        "", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM", "STKFLT",
        "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS",
    ];

    /// <summary>Takes <c>SIGTERM</c>, <c>TERM</c>, <c>15</c> and <c>RTMIN+3</c>; null when it is none.</summary>
    public static int? Parse(string text)
    {
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            return number is > 0 and <= Last ? number : null;
        var name = text.ToUpperInvariant();
        if (name.StartsWith("SIG", StringComparison.Ordinal))
            name = name[3..];
        var at = Array.IndexOf(Names, name);
        if (at > 0)
            return at;
        return name switch
        {
            "IOT" => 6,
            "CLD" => 17,
            "POLL" => 29,
            "RTMIN" => RealTimeFirst,
            "RTMAX" => Last,
            _ when Offset(name, "RTMIN+") is { } up && RealTimeFirst + up <= Last => RealTimeFirst + up,
            _ when Offset(name, "RTMAX-") is { } down && Last - down >= RealTimeFirst => Last - down,
            _ => null,
        };
    }

    private static int? Offset(string name, string prefix) =>
        name.StartsWith(prefix, StringComparison.Ordinal)
        && int.TryParse(name.AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var offset) && offset < Last
            ? offset
            : null;
}
