using System.Collections.Immutable;
using Orchestrator.Worker.Runtime.Launch;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Runtime.Plan;

/// <summary>Device nodes and the usual links in /dev (runtime-spec, default devices).</summary>
internal sealed class DevicePlan(OciSpec spec, Func<string, PathKind> look)
{
    private const uint CharacterDevice = 0x2000;
    private const uint BlockDevice = 0x6000;
    private const uint Pipe = 0x1000;
    private const uint EverybodyMay = 0x1b6;

    private static readonly ImmutableArray<OciDevice> Always =
    [
        Character("/dev/null", 1, 3), Character("/dev/zero", 1, 5), Character("/dev/full", 1, 7),
        Character("/dev/random", 1, 8), Character("/dev/urandom", 1, 9), Character("/dev/tty", 5, 0),
    ];

    private static readonly ImmutableArray<(string Link, string To)> Links =
    [
        ("/dev/fd", "/proc/self/fd"), ("/dev/stdin", "/proc/self/fd/0"), ("/dev/stdout", "/proc/self/fd/1"),
        ("/dev/stderr", "/proc/self/fd/2"), ("/dev/ptmx", "pts/ptmx"),
    ];

    /// <summary>All that a container has.</summary>
    internal static ImmutableArray<OciDevice> Nodes(OciSpec spec) =>
        [.. Always.Where(a => !spec.Linux.Devices.Any(d => d.Path == a.Path)), .. spec.Linux.Devices];

    /// <summary>The kind of node as mknod(2) takes it.</summary>
    internal static uint Kind(OciDevice device) => device.Type switch
    {
        "c" or "u" => CharacterDevice,
        "b" => BlockDevice,
        "p" => Pipe,
        _ => throw new RuntimeException($"'{device.Type}' is not a type of device ({device.Path})."),
    };

    /// <summary>Permission bits of a node.</summary>
    internal static uint Mode(OciDevice device) => device.FileMode ?? EverybodyMay;

    /// <param name="made">The nodes are there already.</param>
    internal IEnumerable<LaunchStep> Steps(bool made)
    {
        // The host's own /dev bound in: its nodes are there, and ours must not appear on the host.
        if (spec.Mounts.Any(m => m.Destination == "/dev" && m.Type != "tmpfs"))
            return [];
        var core = look("/proc/kcore") == PathKind.Missing ? [] : new[] { ("/dev/core", "/proc/kcore") };
        return (made ? [] : Nodes(spec)).SelectMany(Make)
            .Concat(Links.Concat(core).Select(l => new LaunchStep($"link {l.Item1}", CallNumber.symlink, l.Item2, l.Item1) { Tolerate = [Step.Exists] }));
    }

    private static IEnumerable<LaunchStep> Make(OciDevice device)
    {
        var parent = Path.GetDirectoryName(device.Path)!;
        var mode = Kind(device) | Mode(device);
        return
        [
            .. parent == "/dev" ? [] : Step.MakeDirectories(parent),
            new LaunchStep($"mknod {device.Path}", CallNumber.mknod, device.Path, (long)mode, Number(device.Major, device.Minor)) { Tolerate = [Step.Exists] },
            .. device is { Uid: > 0 } or { Gid: > 0 }
                ? [new LaunchStep($"chown {device.Path}", CallNumber.chown, device.Path, (long)(device.Uid ?? 0), (long)(device.Gid ?? 0))]
                : Step.None,
        ];
    }

    /// <summary>makedev(3) as the kernel's new_encode_dev.</summary>
    private static long Number(long major, long minor) => (minor & 0xff) | ((major & 0xfff) << 8) | ((minor & ~0xffL) << 12);

    private static OciDevice Character(string path, long major, long minor) => new() { Type = "c", Path = path, Major = major, Minor = minor };
}
