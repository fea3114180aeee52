using System.Collections.Immutable;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Runtime.Cgroups;

/// <summary>One command to the kernel: this text into this file.</summary>
internal readonly record struct CgroupWrite(string File, string Value);

/// <summary>Which groups a container gets and what is written into them, in order.</summary>
internal sealed record CgroupPlan
{
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
        var writes = ImmutableArray.CreateBuilder<CgroupWrite>();
        var warnings = ImmutableArray.CreateBuilder<string>();
        foreach (var hierarchy in layout.Legacy)
        {
            foreach (var controller in hierarchy.Controllers)
                writes.AddRange(LegacyLimits.For(controller, resources with { Devices = WithDefaults(resources.Devices) }, layout.SwapAccounting, warnings)
                    .Select(w => w with { File = $"{hierarchy.MountPoint}{path}/{w.File}" }));
        }
        var unified = layout.Unified is { } mount ? mount + path : null;
        if (unified is not null)
        {
            writes.AddRange(UnifiedLimits.For(layout.UnifiedControllers, resources, warnings, onlyHierarchy: layout.Legacy.IsEmpty)
                .Select(w => w with { File = $"{unified}/{w.File}" }));
        }
        else if (!resources.Unified.IsEmpty)
        {
            throw new RuntimeException("Settings for cgroup v2 were given, but this host has no cgroup v2 hierarchy.");
        }
        var legacyMemory = layout.LegacyMount("memory");
        return new CgroupPlan
        {
            LegacyDirectories = [.. layout.Legacy.Where(h => !Redundant(h, unified)).Select(h => h.MountPoint + path)],
            UnifiedDirectory = unified,
            Writes = writes.ToImmutable(),
            Warnings = warnings.ToImmutable(),
            DeviceProgram = layout.LegacyMount("devices") is null && unified is not null ? WithDefaults(resources.Devices) : [],
            OomCounter = legacyMemory is not null ? $"{legacyMemory}{path}/memory.oom_control"
                : layout.UnifiedControllers.Contains("memory") ? $"{unified}/memory.events" : null,
            UnifiedControllers = [.. Wanted.Where(layout.UnifiedControllers.Contains)],
        };
    }

    /// <summary>v2 freezes by itself; a v1 freezer beside it would only cost time.</summary>
    private static bool Redundant(LegacyHierarchy hierarchy, string? unified) =>
        unified is not null && hierarchy.Controllers is ["freezer"];

    private static ImmutableArray<OciDeviceRule> WithDefaults(ImmutableArray<OciDeviceRule> rules) =>
        rules.IsEmpty || rules[^1] is { Allow: true, Type: null or "a", Major: null, Minor: null } ? rules : [.. rules, .. AlwaysAllowed];

    private static OciDeviceRule Allow(string type, long? major, long? minor, string access = "rwm") =>
        new() { Allow = true, Type = type, Major = major, Minor = minor, Access = access };
}
