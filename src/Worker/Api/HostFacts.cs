using System.Globalization;
using System.Runtime.InteropServices;

namespace Orchestrator.Worker.Api;

/// <summary>What <c>/info</c> tells of the machine, read from <c>/proc</c>, <c>/etc</c> and <c>/sys</c> below a root.</summary>
internal sealed record HostFacts
{
    public required string Hostname { get; init; }
    public required string KernelVersion { get; init; }

    /// <summary>As os-release says it to people.</summary>
    public required string OperatingSystem { get; init; }

    public required string OsVersion { get; init; }

    /// <summary>As <c>uname -m</c>.</summary>
    public required string Architecture { get; init; }

    /// <summary>Bytes.</summary>
    public required long Memory { get; init; }

    public required bool Ipv4Forwarding { get; init; }

    internal static HostFacts Read(string root = "/")
    {
        var release = OsRelease(ReadOrEmpty(root, "etc/os-release"));
        return new HostFacts
        {
            Hostname = ReadOrEmpty(root, "proc/sys/kernel/hostname").Trim(),
            KernelVersion = ReadOrEmpty(root, "proc/sys/kernel/osrelease").Trim(),
            OperatingSystem = release.GetValueOrDefault("PRETTY_NAME") ?? release.GetValueOrDefault("NAME") ?? "Linux",
            OsVersion = release.GetValueOrDefault("VERSION_ID") ?? "",
            Architecture = RuntimeInformation.OSArchitecture switch
            {
                System.Runtime.InteropServices.Architecture.X64 => "x86_64",
                System.Runtime.InteropServices.Architecture.Arm64 => "aarch64",
                var other => other.ToString().ToLowerInvariant(),
            },
            Memory = MemoryTotal(ReadOrEmpty(root, "proc/meminfo")),
            Ipv4Forwarding = ReadOrEmpty(root, "proc/sys/net/ipv4/ip_forward").Trim() == "1",
        };
    }

    /// <summary>os-release(5): shell assignments, quoted or not.</summary>
    internal static IReadOnlyDictionary<string, string> OsRelease(string text) => text.Split('\n')
        .Select(line => line.Trim().Split('=', 2))
        .Where(parts => parts.Length == 2 && !parts[0].StartsWith('#'))
        .GroupBy(parts => parts[0], StringComparer.Ordinal)
        .ToDictionary(group => group.Key, group => group.Last()[1].Trim('"', '\''), StringComparer.Ordinal);

    /// <summary>proc_meminfo(5), MemTotal, in kibibytes there.</summary>
    internal static long MemoryTotal(string text)
    {
        var line = text.Split('\n').FirstOrDefault(l => l.StartsWith("MemTotal:", StringComparison.Ordinal));
        var number = line?["MemTotal:".Length..].Replace("kB", "", StringComparison.Ordinal).Trim();
        return long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var kibibytes) ? kibibytes * 1024 : 0;
    }

    private static string ReadOrEmpty(string root, string path)
    {
        var full = Path.Combine(root, path);
        return File.Exists(full) ? File.ReadAllText(full) : "";
    }
}
