using System.Collections.Immutable;
using Orchestrator.Shared.Model;

namespace Orchestrator.Worker.Containers.Plan;

/// <summary>What <c>--volumes-from</c> brings: another container's mounts.</summary>
/// <param name="Mounts">Of its own and lent to it, volumes and binds.</param>
/// <param name="ReadOnly">Whatever they are there.</param>
internal sealed record LentMounts(IReadOnlyList<StoredMount> Mounts, bool ReadOnly);

/// <summary>Which volumes a container has, where, and under which names.</summary>
internal static class VolumePlan
{
    /// <summary><c>CONTAINER[:ro|rw]</c>; null: it is neither.</summary>
    internal static (string Container, bool ReadOnly)? ParseFrom(string text)
    {
        var parts = text.Split(':');
        return parts switch
        {
            [{ Length: > 0 } name] => (name, false),
            [{ Length: > 0 } name, "ro"] => (name, true),
            [{ Length: > 0 } name, "rw" or "z" or "Z"] => (name, false),
            _ => null,
        };
    }

    /// <summary>Own mounts win over lent ones, a later lender over an earlier one; a path of the image's is a new volume where nothing else is mounted.</summary>
    /// <param name="own">The container's own mounts.</param>
    /// <param name="anonymous">Paths that the image or the request declares as volumes.</param>
    /// <param name="lent">In the order of the request.</param>
    /// <param name="names">A new name for each volume that has none.</param>
    /// <param name="mountpoint">Where a volume lies on the host.</param>
    internal static ImmutableArray<StoredMount> Of(
        MountPlan own, IEnumerable<string> anonymous, IReadOnlyList<LentMounts> lent, Func<string> names, Func<string, string> mountpoint)
    {
        var taken = own.Mounts.Select(m => m.Destination).Concat(own.Volumes.Select(v => v.Target)).ToHashSet(StringComparer.Ordinal);
        var all = new Dictionary<string, StoredMount>(StringComparer.Ordinal);
        foreach (var lender in lent)
        {
            foreach (var mount in lender.Mounts.Where(m => !taken.Contains(m.Destination)))
                all[mount.Destination] = mount with { ReadOnly = mount.ReadOnly || lender.ReadOnly, NoCopy = true };
        }

        foreach (var want in own.Volumes)
            all[want.Target] = Volume(want, names, mountpoint);
        foreach (var target in anonymous.Select(MountPlan.Clean).Where(t => !taken.Contains(t) && !all.ContainsKey(t)).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
            all[target] = Volume(new VolumeWant { Target = target }, names, mountpoint);
        return [.. all.Values.OrderBy(m => m.Destination.Count(c => c == '/')).ThenBy(m => m.Destination, StringComparer.Ordinal)];
    }

    /// <summary>What a container lends: its volumes and binds, not its tmpfs.</summary>
    internal static IReadOnlyList<StoredMount> Lent(StoredContainer container) =>
    [
        .. MountPlan.Of(container.HostConfig, []).Points.Where(p => p.Type == "bind").Select(p => new StoredMount
        {
            Type = "bind", Source = p.Source, Destination = p.Destination, Mode = p.Mode, ReadOnly = !p.Rw, Propagation = p.Propagation,
        }),
        .. container.Volumes,
    ];

    /// <summary>All of a container's mounts as inspect shows them.</summary>
    internal static IReadOnlyList<MountPoint> Points(StoredContainer container) =>
    [
        .. MountPlan.Of(container.HostConfig, []).Points,
        .. container.Volumes.Select(v => new MountPoint
        {
            Type = v.Type,
            Name = v.Type == "volume" ? v.Name : null,
            Source = v.Source,
            Destination = v.Destination,
            Driver = v.Type == "volume" ? "local" : null,
            Mode = v.Mode,
            Rw = !v.ReadOnly,
            Propagation = v.Propagation,
        }),
    ];

    private static StoredMount Volume(VolumeWant want, Func<string> names, Func<string, string> mountpoint)
    {
        var name = want.Name.Length > 0 ? want.Name : names();
        return new StoredMount
        {
            Type = "volume",
            Name = name,
            Source = mountpoint(name),
            Destination = want.Target,
            Subpath = want.Subpath,
            Mode = want.Mode,
            ReadOnly = want.ReadOnly,
            NoCopy = want.NoCopy,
            Anonymous = want.Name.Length == 0,
            Labels = want.Labels,
            Options = want.Options,
        };
    }
}
