using System.Globalization;
using System.Text.RegularExpressions;

namespace Orchestrator.Shared.Model.Validation;

/// <summary>Log drivers and their options, in Docker's words: for containers, services and the daemon alike.</summary>
public static partial class LogOptions
{
    public const string JsonFile = "json-file";
    public const string Local = "local";
    public const string None = "none";

    private static readonly string[] OfAll = ["mode", "max-buffer-size"];
    private static readonly string[] OfLocal = ["max-size", "max-file", "compress"];
    private static readonly string[] OfJsonFile = [.. OfLocal, "labels", "labels-regex", "env", "env-regex", "tag"];
    private static readonly string[] TagFields = ["ID", "FullID", "Name", "ImageID", "ImageFullID", "ImageName", "DaemonName", "Command", "Hostname"];

    /// <summary><c>{{.Name}}</c> in a tag.</summary>
    [GeneratedRegex(@"\{\{\s*\.(?<field>[A-Za-z]+)\s*\}\}", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    public static partial Regex TagField { get; }

    /// <summary>Everything that is wrong; an empty driver is the daemon's own, whose options are judged there.</summary>
    public static IReadOnlyList<string> Check(string driver, IReadOnlyDictionary<string, string> options)
    {
        if (driver is not ("" or JsonFile or Local or None))
            return [$"logger: no log driver named '{driver}' is registered: {JsonFile}, {Local} and {None} are"];
        var known = driver switch
        {
            Local => [.. OfAll, .. OfLocal],
            None => OfAll,
            _ => (string[])[.. OfAll, .. OfJsonFile],
        };
        var problems = new List<string>();
        foreach (var (name, value) in options.OrderBy(o => o.Key, StringComparer.Ordinal))
        {
            if (!known.Contains(name))
                problems.Add($"unknown log opt '{name}' for {(driver.Length == 0 ? JsonFile : driver)} log driver");
            else if (!IsGood(name, value))
                problems.Add($"invalid value for log opt '{name}': {value}");
        }

        if (problems.Count > 0 || driver is None)
            return problems;
        if (options.ContainsKey("max-buffer-size") && options.GetValueOrDefault("mode") != "non-blocking")
            problems.Add("logger: max-buffer-size option is only supported with 'mode=non-blocking'");
        var files = options.GetValueOrDefault("max-file", "1");
        if (driver is Local)
            return problems;
        if (files != "1" && !options.ContainsKey("max-size"))
            problems.Add("max-size must be set when max-file is greater than 1");
        if (options.TryGetValue("compress", out var compress) && IsTrue(compress) && (files == "1" || !options.ContainsKey("max-size")))
            problems.Add("compress cannot be true when max-file is less than 2 or max-size is not set");
        return problems;
    }

    /// <summary><c>10m</c>, <c>1g</c>, <c>512k</c>, <c>4096</c>, also with <c>b</c>: powers of 1024.</summary>
    public static long? Size(string text)
    {
        var lower = text.ToLowerInvariant().TrimEnd('b');
        var shift = lower is [.., var unit] ? unit switch { 'k' => 10, 'm' => 20, 'g' => 30, 't' => 40, _ => 0 } : 0;
        return decimal.TryParse(shift == 0 ? lower : lower[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            && number * (1L << shift) < long.MaxValue
                ? (long)(number * (1L << shift))
                : null;
    }

    private static bool IsGood(string name, string value) => name switch
    {
        "max-size" => Size(value) is > 0 || value == "-1",
        "max-buffer-size" => Size(value) is > 0,
        "max-file" => int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var files) && files >= 1,
        "compress" => IsTrue(value) || value is "false" or "0" or "f" or "F" or "FALSE" or "False",
        "mode" => value is "blocking" or "non-blocking",
        "labels-regex" or "env-regex" => IsPattern(value),
        "tag" => TagField.Replace(value, m => TagFields.Contains(m.Groups["field"].Value) ? "" : m.Value) is var rest && !rest.Contains("{{", StringComparison.Ordinal),
        _ => true,
    };

    private static bool IsTrue(string text) => text is "true" or "1" or "t" or "T" or "TRUE" or "True";

    private static bool IsPattern(string text)
    {
        try
        {
            _ = new Regex(text, RegexOptions.NonBacktracking);
            return true;
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return false;
        }
    }
}
