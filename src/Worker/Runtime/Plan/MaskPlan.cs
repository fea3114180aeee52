using Orchestrator.Worker.Runtime.Launch;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Runtime.Plan;

/// <summary>Paths that a container must not see, and those it must not change.</summary>
internal sealed class MaskPlan(OciSpec spec, Func<string, PathKind> look, bool freshDev, Func<string, MountOptions, string> detach)
{
    private const int AtCwd = -100;
    private const int MoveEmptyPath = 4;

    /// <summary>Files get /dev/null over them, directories an empty read-only one.</summary>
    internal IEnumerable<LaunchStep> Steps()
    {
        string? empty = null;
        foreach (var path in spec.Linux.MaskedPaths)
        {
            switch (Kind(path))
            {
                case PathKind.File:
                    yield return HideFile(path);
                    break;
                case PathKind.Directory:
                    yield return empty is null
                        ? Step.Mount("tmpfs", path, "tmpfs", MountOptions.ReadOnly, "size=0k")
                        : Step.Mount(empty, path, null, MountOptions.BindFlag);
                    empty ??= path;
                    break;
                case PathKind.Missing when !IsKernels(path):
                    // A path of the image: only there it shows what it is. One of the two fits, or it does not exist.
                    yield return HideFile(path) with { Tolerate = [Step.NoEntry, Step.NotDirectory] };
                    yield return Step.Mount("tmpfs", path, "tmpfs", MountOptions.ReadOnly, "size=0k") with { Tolerate = [Step.NoEntry, Step.NotDirectory] };
                    break;
                default:
                    break;
            }
        }
    }

    internal static IEnumerable<LaunchStep> ReadOnlyPaths(OciSpec spec, Func<string, PathKind> look)
    {
        foreach (var path in spec.Linux.ReadonlyPaths)
        {
            var kernels = IsKernels(path);
            if (kernels && look(path) == PathKind.Missing)
                continue;
            int[] tolerate = kernels ? [] : [Step.NoEntry];
            var keep = CoveringFlags(spec, path);
            yield return Step.Mount(path, path, null, MountOptions.BindFlag | MountOptions.RecursiveFlag) with { Tolerate = [.. tolerate] };
            yield return Step.Mount(null, path, null, MountOptions.BindFlag | MountOptions.Remount | MountOptions.ReadOnly | keep) with { Tolerate = [.. tolerate] };
        }
    }

    private LaunchStep HideFile(string path) => freshDev
        ? Step.Mount("/dev/null", path, null, MountOptions.BindFlag)
        : new LaunchStep($"mount /dev/null on {path}", CallNumber.move_mount, Operand.File(detach("/dev/null", new MountOptions())), "", AtCwd, path, MoveEmptyPath);

    /// <summary>/proc and /sys look alike inside and outside, so the host tells what is there.</summary>
    private PathKind Kind(string path) => IsKernels(path) ? look(path) : PathKind.Missing;

    private static bool IsKernels(string path) =>
        path.StartsWith("/proc/", StringComparison.Ordinal) || path.StartsWith("/sys/", StringComparison.Ordinal);

    /// <summary>A remount must repeat the flags that the mount around the path has, else it would lose them.</summary>
    private static ulong CoveringFlags(OciSpec spec, string path)
    {
        var covering = spec.Mounts.LastOrDefault(m => path == m.Destination || path.StartsWith(m.Destination + "/", StringComparison.Ordinal));
        return covering is null ? 0 : MountOptions.Parse(covering.Options).Flags & (MountOptions.NoSuid | MountOptions.NoDev | MountOptions.NoExec);
    }
}
