using System.Collections.Immutable;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Runtime.Cgroups;

/// <summary>One command to the kernel: this text into this file.</summary>
internal readonly record struct CgroupWrite(string File, string Value);

/// <summary>Which groups a container gets and what is written into them, in order.</summary>
internal sealed record CgroupPlan
{
    /// <summary>Its place below the root of every hierarchy.</summary>
    public required string Path { get; init; }

    /// <summary>The container's own directory in each v1 hierarchy.</summary>
    public required ImmutableArray<string> LegacyDirectories { get; init; }

    /// <summary>The container's own directory in the v2 hierarchy: there it can be killed and frozen at once, with controllers or without.</summary>
    public string? UnifiedDirectory { get; init; }

    public required ImmutableArray<CgroupWrite> Writes { get; init; }

    /// <summary>Device rules to load as a program, where no v1 controller holds them.</summary>
    public ImmutableArray<OciDeviceRule> DeviceProgram { get; init; } = [];

    /// <summary>What was asked for and cannot be held on this host, a sentence each.</summary>
    public ImmutableArray<string> Warnings { get; init; } = [];

    /// <summary>The memory group's file that counts kills, if there is one.</summary>
    public string? OomCounter { get; init; }

    /// <summary>v2 controllers that the ancestors must hand down.</summary>
    public ImmutableArray<string> UnifiedControllers { get; init; } = [];

    /// <summary>Handed down for every container, so that it can be counted and limited later; huge pages only to who limits them.</summary>
    private static readonly ImmutableArray<string> Wanted = ["cpu", "cpuset", "memory", "pids", "io"];

    /// <summary>Devices every container may use whatever its rules say (runtime-spec, default devices), and mknod of all.</summary>
    private static readonly ImmutableArray<OciDeviceRule> AlwaysAllowed =
    [
        Allow("c", null, null, "m"), Allow("b", null, null, "m"),
        Allow("c", 1, 3), Allow("c", 1, 5), Allow("c", 1, 7), Allow("c", 1, 8), Allow("c", 1, 9),
        Allow("c", 5, 0), Allow("c", 5, 1), Allow("c", 5, 2), Allow("c", 136, null),
    ];

    internal static CgroupPlan For(CgroupLayout layout, string path, OciResources resources)
    {
        if (!path.StartsWith('/') || path.Split('/').Any(part => part is "." or "..") || path.Length < 2)
            throw new RuntimeException($"The cgroup path '{path}' is not an absolute path below the root of the hierarchies.");
        var warnings = ImmutableArray.CreateBuilder<string>();
        var unified = layout.Unified is { } mount ? mount + path : null;
        var writes = WritesOf(layout, path, resources with { Devices = WithDefaults(resources.Devices) }, warnings);
        var legacyMemory = layout.LegacyMount("memory");
        return new CgroupPlan
        {
            Path = path,
            LegacyDirectories = [.. layout.Legacy.Where(h => !Redundant(h, unified)).Select(h => h.MountPoint + path)],
            UnifiedDirectory = unified,
            Writes = writes,
            Warnings = warnings.ToImmutable(),
            DeviceProgram = layout.LegacyMount("devices") is null && unified is not null ? WithDefaults(resources.Devices) : [],
            OomCounter = legacyMemory is not null ? $"{legacyMemory}{path}/memory.oom_control"
                : layout.UnifiedControllers.Contains("memory") ? $"{unified}/memory.events" : null,
            UnifiedControllers = [.. Wanted.Concat(resources.HugepageLimits.IsEmpty ? [] : ["hugetlb"]).Where(layout.UnifiedControllers.Contains)],
        };
    }

    /// <summary>What new limits mean for the files of a group that is there; what they do not name is not touched.</summary>
    internal static ImmutableArray<CgroupWrite> Change(
        CgroupLayout layout, string path, OciResources resources, ImmutableArray<string>.Builder warnings) =>
        resources.Devices.IsEmpty
            ? WritesOf(layout, path, resources, warnings)
            : throw new RuntimeException("The devices of a running container cannot be changed.");

    private static ImmutableArray<CgroupWrite> WritesOf(
        CgroupLayout layout, string path, OciResources resources, ImmutableArray<string>.Builder warnings)
    {
        var writes = ImmutableArray.CreateBuilder<CgroupWrite>();
        foreach (var hierarchy in layout.Legacy)
        {
            foreach (var controller in hierarchy.Controllers)
                writes.AddRange(LegacyLimits.For(controller, resources, layout, warnings).Select(w => w with { File = $"{hierarchy.MountPoint}{path}/{w.File}" }));
        }
        if (layout.Unified is { } unified)
            writes.AddRange(UnifiedLimits.For(layout, resources, warnings).Select(w => w with { File = $"{unified}{path}/{w.File}" }));
        else if (!resources.Unified.IsEmpty)
            throw new RuntimeException("Settings for cgroup v2 were given, but this host has no cgroup v2 hierarchy.");
        warnings.AddRange(MissingControllers.Of(layout, resources));
        return writes.ToImmutable();
    }

    /// <summary>v2 freezes by itself; a v1 freezer beside it would only cost time.</summary>
    private static bool Redundant(LegacyHierarchy hierarchy, string? unified) =>
        unified is not null && hierarchy.Controllers is ["freezer"];

    private static ImmutableArray<OciDeviceRule> WithDefaults(ImmutableArray<OciDeviceRule> rules) =>
        rules.IsEmpty || rules[^1] is { Allow: true, Type: null or "a", Major: null, Minor: null } ? rules : [.. rules, .. AlwaysAllowed];

    private static OciDeviceRule Allow(string type, long? major, long? minor, string access = "rwm") =>
        new() { Allow = true, Type = type, Major = major, Minor = minor, Access = access };
}
