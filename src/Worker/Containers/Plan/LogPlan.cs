using System.Globalization;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Runtime;

namespace Orchestrator.Worker.Containers.Plan;

/// <summary>The log driver and its options.</summary>
internal static class LogPlan
{
    internal const string Driver = "json-file";

    internal static void Check(LogConfig? log, List<Problem> problems)
    {
        const string where = "HostConfig.LogConfig";
        if (log is null)
            return;
        if (log.Type is not ("" or Driver))
            problems.Add(new Problem(where, $"logger: the log driver '{log.Type}' does not work yet: {Driver} does"));
        foreach (var (name, value) in log.Config)
        {
            var good = name switch
            {
                "max-size" => Size(value) is > 0 || value == "-1",
                "max-file" => int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var files) && files >= 1,
                _ => (bool?)null,
            };
            if (good is null)
                problems.Add(new Problem(where, $"unknown log opt '{name}' for {Driver} log driver"));
            else if (!good.Value)
                problems.Add(new Problem(where, $"invalid value for {name}: {value}"));
        }

        if (log.Config.TryGetValue("max-file", out var count) && count != "1" && !log.Config.ContainsKey("max-size"))
            problems.Add(new Problem(where, "max-size must be set when max-file is greater than 1"));
    }

    internal static LogTarget Of(string path, LogConfig? log) => new()
    {
        Path = path,
        MaxSizeBytes = log?.Config.TryGetValue("max-size", out var size) == true && size != "-1" ? Size(size) : null,
        MaxFiles = log?.Config.TryGetValue("max-file", out var files) == true ? int.Parse(files, CultureInfo.InvariantCulture) : 1,
    };

    /// <summary><c>10m</c>, <c>1g</c>, <c>512k</c>, <c>4096</c>, also with <c>b</c>: powers of 1024.</summary>
    private static long? Size(string text)
    {
        var lower = text.ToLowerInvariant().TrimEnd('b');
        var shift = lower is [.., var unit] ? unit switch { 'k' => 10, 'm' => 20, 'g' => 30, 't' => 40, _ => 0 } : 0;
        return decimal.TryParse(shift == 0 ? lower : lower[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            && number * (1L << shift) < long.MaxValue
                ? (long)(number * (1L << shift))
                : null;
    }
}
