using System.Globalization;
using System.Text.RegularExpressions;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Containers.Plan;

/// <summary>What <c>Devices</c> and <c>DeviceCgroupRules</c> may say.</summary>
internal static partial class DeviceRequest
{
    internal const string All = "rwm";

    internal static void Check(HostConfig host, List<Problem> problems)
    {
        foreach (var device in host.Devices)
        {
            if (!device.PathOnHost.StartsWith('/'))
                problems.Add(new Problem("HostConfig.Devices", $"'{device.PathOnHost}' is not a path of a device on the host"));
            if (device.PathInContainer.Length > 0 && (!device.PathInContainer.StartsWith('/') || device.PathInContainer.Split('/').Any(p => p is "." or "..")))
                problems.Add(new Problem("HostConfig.Devices", $"'{device.PathInContainer}' is not an absolute path"));
            if (!IsAccess(device.CgroupPermissions))
                problems.Add(new Problem("HostConfig.Devices", $"invalid device mode: {device.CgroupPermissions}"));
        }

        foreach (var rule in host.DeviceCgroupRules.Where(r => Rule(r) is null))
            problems.Add(new Problem("HostConfig.DeviceCgroupRules", $"invalid device cgroup rule format: '{rule}'"));
    }

    /// <summary><c>TYPE MAJOR:MINOR ACCESS</c>, numbers or <c>*</c>; null when it is not one.</summary>
    internal static OciDeviceRule? Rule(string text)
    {
        var match = RulePattern().Match(text);
        if (!match.Success)
            return null;
        return Number(match.Groups["major"].Value, out var major) && Number(match.Groups["minor"].Value, out var minor)
            ? new OciDeviceRule { Allow = true, Type = match.Groups["type"].Value, Major = major, Minor = minor, Access = match.Groups["access"].Value }
            : null;
    }

    private static bool Number(string text, out long? number)
    {
        number = null;
        if (text == "*")
            return true;
        if (!uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value))
            return false;
        number = value;
        return true;
    }

    private static bool IsAccess(string text) => text.Length <= All.Length && text.All(All.Contains) && text.Distinct().Count() == text.Length;

    [GeneratedRegex(@"^(?<type>[acb]) (?<major>[0-9]+|\*):(?<minor>[0-9]+|\*) (?<access>[rwm]{1,3})$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex RulePattern();
}
