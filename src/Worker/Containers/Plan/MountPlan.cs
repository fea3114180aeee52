using System.Collections.Frozen;
using System.Collections.Immutable;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Runtime.Spec;
using Orchestrator.Worker.Volumes.Plan;

namespace Orchestrator.Worker.Containers.Plan;

/// <summary>A directory or file of the host that a container sees.</summary>
/// <param name="Path">On the host.</param>
/// <param name="Create">Made as a directory when it is missing (<c>Binds</c>); else its absence is the user's mistake (<c>Mounts</c>).</param>
/// <param name="Where">The field of the request, for the problem.</param>
internal sealed record BindSource(string Path, bool Create, string Where);

/// <summary>A volume that a container asks for.</summary>
internal sealed record VolumeWant
{
    /// <summary>Empty: nobody named it.</summary>
    public string Name { get; init; } = "";

    public required string Target { get; init; }
    public bool ReadOnly { get; init; }
    public bool NoCopy { get; init; }
    public string? Subpath { get; init; }
    public string Mode { get; init; } = "";
    public IReadOnlyDictionary<string, string> Labels { get; init; } = FrozenDictionary<string, string>.Empty;
    public IReadOnlyDictionary<string, string> Options { get; init; } = FrozenDictionary<string, string>.Empty;
}

/// <summary>A container's own mounts, beside those every container gets.</summary>
internal sealed record MountPlan
{
    /// <summary>In the order of their depth, so that one inside another comes after it.</summary>
    public ImmutableArray<OciMount> Mounts { get; init; } = [];

    public ImmutableArray<BindSource> Sources { get; init; } = [];

    /// <summary>As inspect shows them.</summary>
    public ImmutableArray<MountPoint> Points { get; init; } = [];

    /// <summary>Volumes asked for by name or, without one, in the list of mounts.</summary>
    public ImmutableArray<VolumeWant> Volumes { get; init; } = [];

    private static readonly string[] Propagations = ["private", "rprivate", "slave", "rslave", "shared", "rshared"];

    internal static MountPlan Of(HostConfig host, List<Problem> problems)
    {
        var found = new List<(OciMount Mount, BindSource? Source, MountPoint Point)>();
        var volumes = new List<VolumeWant>();
        VolumeRequestPlan.CheckDriver(host.VolumeDriver, "HostConfig.VolumeDriver", problems);
        for (var i = 0; i < host.Binds.Count; i++)
            AddBind(host.Binds[i], $"HostConfig.Binds[{i}]", found, volumes, problems);
        for (var i = 0; i < host.Mounts.Count; i++)
            AddMount(host.Mounts[i], $"HostConfig.Mounts[{i}]", found, volumes, problems);
        foreach (var (target, options) in host.Tmpfs)
        {
            const string where = "HostConfig.Tmpfs";
            ImmutableArray<string> words = [.. options.Split(',', StringSplitOptions.RemoveEmptyEntries)];
            if (TmpfsWords.Check(words, where, problems) & CheckTarget(target, where, problems))
                found.Add((Tmpfs(target, words), null, TmpfsPoint(target)));
        }

        var places = found.Select(f => f.Mount.Destination).Concat(volumes.Select(v => v.Target));
        foreach (var twice in places.GroupBy(p => p, StringComparer.Ordinal).Where(g => g.Count() > 1))
            problems.Add(new Problem("HostConfig.Mounts", $"Duplicate mount point: {twice.Key}"));

        var ordered = found.OrderBy(f => f.Mount.Destination.Count(c => c == '/')).ToList();
        return new MountPlan
        {
            Mounts = [.. ordered.Select(f => f.Mount)],
            Sources = [.. ordered.Where(f => f.Source is not null).Select(f => f.Source!)],
            Points = [.. ordered.Select(f => f.Point)],
            Volumes = [.. volumes],
        };
    }

    /// <summary><c>SOURCE:TARGET[:ro,rw,z,Z,PROPAGATION]</c>, <c>VOLUME:TARGET[:ro,rw,z,Z,nocopy]</c> or <c>TARGET</c></summary>
    private static void AddBind(
        string text, string where, List<(OciMount, BindSource?, MountPoint)> found, List<VolumeWant> volumes, List<Problem> problems)
    {
        var parts = text.Split(':');
        if (parts is [['/', ..] only])
        {
            if (CheckTarget(only, where, problems))
                volumes.Add(new VolumeWant { Target = Clean(only) });
            return;
        }

        if (parts.Length is < 2 or > 3 || parts[0].Length == 0)
        {
            problems.Add(new Problem(where, $"invalid volume specification: '{text}'"));
            return;
        }

        if (!CheckTarget(parts[1], where, problems))
            return;
        if (!parts[0].StartsWith('/'))
        {
            AddNamed(parts, where, volumes, problems);
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

    private static void AddNamed(string[] parts, string where, List<VolumeWant> volumes, List<Problem> problems)
    {
        VolumeRequestPlan.CheckName(parts[0], where, problems);
        var options = parts.Length == 3 ? parts[2].Split(',') : [];
        if (options.Any(o => o is not ("ro" or "readonly" or "rw" or "z" or "Z" or "nocopy")))
            problems.Add(new Problem(where, $"invalid mode: {parts[2]}"));
        volumes.Add(new VolumeWant
        {
            Name = parts[0],
            Target = Clean(parts[1]),
            ReadOnly = options.Any(o => o is "ro" or "readonly"),
            NoCopy = options.Contains("nocopy"),
            Mode = parts.Length == 3 ? parts[2] : "z",
        });
    }

    private static void AddVolume(Mount mount, string where, List<VolumeWant> volumes, List<Problem> problems)
    {
        var options = mount.VolumeOptions;
        if (!string.IsNullOrEmpty(mount.Source))
            VolumeRequestPlan.CheckName(mount.Source, where, problems);
        if (mount.BindOptions is not null || mount.TmpfsOptions is not null)
            problems.Add(new Problem(where, $"invalid mount config for type \"volume\": {(mount.BindOptions is null ? "TmpfsOptions" : "BindOptions")} are for mounts of another type"));
        VolumeRequestPlan.CheckDriver(options?.DriverConfig?.Name, where, problems);
        VolumeRequestPlan.CheckOptions(options?.DriverConfig?.Options ?? FrozenDictionary<string, string>.Empty, where, problems);
        if (options?.Subpath is { Length: > 0 } subpath && (subpath.StartsWith('/') || subpath.Split('/').Contains("..")))
            problems.Add(new Problem(where, $"invalid mount config for type \"volume\": subpath '{subpath}' must be a relative path within the volume"));
        volumes.Add(new VolumeWant
        {
            Name = mount.Source ?? "",
            Target = Clean(mount.Target),
            ReadOnly = mount.ReadOnly,
            NoCopy = options?.NoCopy ?? false,
            Subpath = string.IsNullOrEmpty(options?.Subpath) ? null : options.Subpath,
            Mode = "z",
            Labels = options?.Labels ?? FrozenDictionary<string, string>.Empty,
            Options = options?.DriverConfig?.Options ?? FrozenDictionary<string, string>.Empty,
        });
    }

    private static void AddMount(
        Mount mount, string where, List<(OciMount, BindSource?, MountPoint)> found, List<VolumeWant> volumes, List<Problem> problems)
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
                var asked = mount.TmpfsOptions?.Options.Select(o => string.Join('=', o)).ToList() ?? [];
                TmpfsWords.Check(asked, where, problems);
                options.AddRange(asked);
                found.Add((Tmpfs(mount.Target, [.. options]), null, TmpfsPoint(mount.Target)));
                break;
            case "volume":
                AddVolume(mount, where, volumes, problems);
                break;
            default:
                problems.Add(new Problem(where, $"invalid mount type '{mount.Type}' for {mount.Target}: bind, volume and tmpfs work"));
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

    internal static string Clean(string path) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
}
