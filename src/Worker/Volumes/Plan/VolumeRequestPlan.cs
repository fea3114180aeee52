using System.Text.RegularExpressions;
using Orchestrator.Shared.Model;

namespace Orchestrator.Worker.Volumes.Plan;

/// <summary>Everything that is wrong with the request for a volume, at once.</summary>
internal static partial class VolumeRequestPlan
{
    internal const string Driver = "local";

    private static readonly string[] Known = ["type", "device", "o", "size"];

    internal static void Check(VolumeCreateRequest request, List<Problem> problems)
    {
        if (request.Name.Length > 0)
            CheckName(request.Name, "Name", problems);
        CheckDriver(request.Driver, "Driver", problems);
        CheckOptions(request.DriverOpts, "DriverOpts", problems);
    }

    internal static void CheckName(string name, string where, List<Problem> problems)
    {
        if (name.Length > 255)
            problems.Add(new Problem(where, $"the volume name \"{name[..32]}…\" has {name.Length} characters; at most 255 are allowed"));
        else if (!NamePattern().IsMatch(name))
        {
            problems.Add(new Problem(
                where, $"\"{name}\" includes invalid characters for a local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, use absolute path"));
        }
    }

    internal static void CheckDriver(string? driver, string where, List<Problem> problems)
    {
        if (driver is not (null or "" or Driver))
            problems.Add(new Problem(where, $"volume driver \"{driver}\" is not there: orch has the driver \"local\" only, which mounts what the kernel can mount (type, device and o)"));
    }

    internal static void CheckOptions(IReadOnlyDictionary<string, string> options, string where, List<Problem> problems)
    {
        foreach (var name in options.Keys.Where(n => !Known.Contains(n)))
            problems.Add(new Problem(where, $"invalid option: \"{name}\"; the local driver knows type, device and o"));
        if (options.ContainsKey("size"))
        {
            problems.Add(new Problem(
                where, "the option \"size\" cannot be enforced on a directory of the host: use type=tmpfs, device=tmpfs, o=size=…, or a device of that size"));
        }

        foreach (var (given, needed) in new[] { ("type", "device"), ("device", "type"), ("o", "device"), ("o", "type") })
        {
            if (options.ContainsKey(given) && string.IsNullOrEmpty(options.GetValueOrDefault(needed)))
                problems.Add(new Problem(where, $"missing required option: \"{needed}\", which \"{given}\" needs"));
        }
    }

    [GeneratedRegex("^[a-zA-Z0-9][a-zA-Z0-9_.-]+$", RegexOptions.CultureInvariant)]
    private static partial Regex NamePattern();
}
