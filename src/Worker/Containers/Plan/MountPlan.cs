using System.Collections.Immutable;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Containers.Plan;

/// <summary>A directory or file of the host that a container sees.</summary>
/// <param name="Path">On the host.</param>
/// <param name="Create">Made as a directory when it is missing (<c>Binds</c>); else its absence is the user's mistake (<c>Mounts</c>).</param>
/// <param name="Where">The field of the request, for the problem.</param>
internal sealed record BindSource(string Path, bool Create, string Where);

/// <summary>A container's own mounts, beside those every container gets.</summary>
internal sealed record MountPlan
{
    /// <summary>In the order of their depth, so that one inside another comes after it.</summary>
    public ImmutableArray<OciMount> Mounts { get; init; } = [];

    public ImmutableArray<BindSource> Sources { get; init; } = [];

    /// <summary>As inspect shows them.</summary>
    public ImmutableArray<MountPoint> Points { get; init; } = [];

    private const string NoVolumes = "volumes come with a later release; use a bind mount (an absolute path on the host) or a tmpfs";

    private static readonly string[] Propagations = ["private", "rprivate", "slave", "rslave", "shared", "rshared"];

    internal static MountPlan Of(HostConfig host, List<Problem> problems)
    {
        var found = new List<(OciMount Mount, BindSource? Source, MountPoint Point)>();
        for (var i = 0; i < host.Binds.Count; i++)
            AddBind(host.Binds[i], $"HostConfig.Binds[{i}]", found, problems);
        for (var i = 0; i < host.Mounts.Count; i++)
            AddMount(host.Mounts[i], $"HostConfig.Mounts[{i}]", found, problems);
        foreach (var (target, options) in host.Tmpfs)
        {
            const string where = "HostConfig.Tmpfs";
            if (CheckTarget(target, where, problems))
                found.Add((Tmpfs(target, [.. options.Split(',', StringSplitOptions.RemoveEmptyEntries)]), null, TmpfsPoint(target)));
        }

        foreach (var twice in found.GroupBy(f => f.Mount.Destination, StringComparer.Ordinal).Where(g => g.Count() > 1))
            problems.Add(new Problem("HostConfig.Mounts", $"Duplicate mount point: {twice.Key}"));

        var ordered = found.OrderBy(f => f.Mount.Destination.Count(c => c == '/')).ToList();
        return new MountPlan
        {
            Mounts = [.. ordered.Select(f => f.Mount)],
            Sources = [.. ordered.Where(f => f.Source is not null).Select(f => f.Source!)],
            Points = [.. ordered.Select(f => f.Point)],
        };
    }

    /// <summary><c>SOURCE:TARGET[:ro,rw,z,Z,PROPAGATION]</c></summary>
    private static void AddBind(string text, string where, List<(OciMount, BindSource?, MountPoint)> found, List<Problem> problems)
    {
        var parts = text.Split(':');
        if (parts.Length is < 2 or > 3 || parts[0].Length == 0)
        {
            problems.Add(new Problem(where, parts.Length < 2
                ? $"anonymous volume '{text}': {NoVolumes}"
                : $"invalid volume specification: '{text}'"));
            return;
        }

        if (!CheckTarget(parts[1], where, problems))
            return;
        if (!parts[0].StartsWith('/'))
        {
            problems.Add(new Problem(where, $"named volume '{parts[0]}': {NoVolumes}"));
            return;
        }

        var readOnly = false;
        var propagation = "rprivate";
        foreach (var option in parts.Length == 3 ? parts[2].Split(',') : [])
        {
            if (option is "ro" or "readonly")
                readOnly = true;
            else if (Propagations.Contains(option))
                propagation = option;
            else if (option is not ("rw" or "z" or "Z"))
            {
                problems.Add(new Problem(where, $"invalid mode: {parts[2]}"));
                return;
            }
        }

        Add(parts[0], parts[1], parts.Length == 3 ? parts[2] : "", readOnly, propagation, recursive: true, create: true, where, found);
    }

    private static void AddMount(Mount mount, string where, List<(OciMount, BindSource?, MountPoint)> found, List<Problem> problems)
    {
        if (!CheckTarget(mount.Target, where, problems))
            return;
        switch (mount.Type)
        {
            case "bind":
                var propagation = string.IsNullOrEmpty(mount.BindOptions?.Propagation) ? "rprivate" : mount.BindOptions.Propagation;
                if (mount.Source is not ['/', ..])
                    problems.Add(new Problem(where, $"invalid mount config for type \"bind\": invalid mount path: '{mount.Source}' mount path must be absolute"));
                else if (!Propagations.Contains(propagation))
                    problems.Add(new Problem(where, $"invalid mount config for type \"bind\": invalid propagation mode: {propagation}"));
                else
                {
                    Add(mount.Source, mount.Target, "", mount.ReadOnly, propagation, !(mount.BindOptions?.NonRecursive ?? false),
                        mount.BindOptions?.CreateMountpoint ?? false, where, found);
                }

                break;
            case "tmpfs":
                if (!string.IsNullOrEmpty(mount.Source))
                    problems.Add(new Problem(where, "invalid mount config for type \"tmpfs\": field Source must not be specified"));
                var options = new List<string>();
                if (mount.ReadOnly)
                    options.Add("ro");
                if (mount.TmpfsOptions is { Mode: > 0 and var mode })
                    options.Add("mode=" + Convert.ToString(mode, 8));
                if (mount.TmpfsOptions is { SizeBytes: > 0 and var size })
                    options.Add($"size={size}");
                options.AddRange(mount.TmpfsOptions?.Options.Select(o => string.Join('=', o)) ?? []);
                found.Add((Tmpfs(mount.Target, [.. options]), null, TmpfsPoint(mount.Target)));
                break;
            case "volume":
                problems.Add(new Problem(where, $"volume '{mount.Source}': {NoVolumes}"));
                break;
            default:
                problems.Add(new Problem(where, $"invalid mount type '{mount.Type}' for {mount.Target}: bind and tmpfs work"));
                break;
        }
    }

    private static void Add(
        string source, string target, string mode, bool readOnly, string propagation, bool recursive, bool create, string where,
        List<(OciMount, BindSource?, MountPoint)> found)
    {
        var clean = Clean(target);
        found.Add((
            new OciMount
            {
                Destination = clean,
                Source = source,
                Type = "bind",
                Options = [recursive ? "rbind" : "bind", propagation, readOnly ? "ro" : "rw"],
            },
            new BindSource(source, create, where),
            new MountPoint { Type = "bind", Source = source, Destination = clean, Mode = mode, Rw = !readOnly, Propagation = propagation }));
    }

    private static OciMount Tmpfs(string target, ImmutableArray<string> options) => new()
    {
        Destination = Clean(target),
        Source = "tmpfs",
        Type = "tmpfs",
        Options = ["noexec", "nosuid", "nodev", "rprivate", .. options],
    };

    private static MountPoint TmpfsPoint(string target) => new() { Type = "tmpfs", Destination = Clean(target), Rw = true };

    private static bool CheckTarget(string target, string where, List<Problem> problems)
    {
        if (!target.StartsWith('/'))
        {
            problems.Add(new Problem(where, $"invalid mount path: '{target}' mount path must be absolute"));
            return false;
        }

        if (Clean(target) == "/")
        {
            problems.Add(new Problem(where, "invalid specification: destination can't be '/'"));
            return false;
        }

        return true;
    }

    private static string Clean(string path) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
}
