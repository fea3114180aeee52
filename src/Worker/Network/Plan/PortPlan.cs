using System.Collections.Immutable;
using System.Net;

namespace Orchestrator.Worker.Network.Plan;

/// <summary>A transport port of the host.</summary>
internal readonly record struct HostPort(PortProtocol Protocol, int Port) : IComparable<HostPort>
{
    public int CompareTo(HostPort other) => (Protocol, Port).CompareTo((other.Protocol, other.Port));

    public override string ToString() => $"{Port}/{(Protocol == PortProtocol.Tcp ? "tcp" : "udp")}";
}

/// <summary>Where connections to a host port go. A null <paramref name="HostIp"/> is every local address.</summary>
internal sealed record PortTarget(IPAddress? HostIp, int TargetPort, ImmutableArray<IPAddress> Backends)
{
    public bool Equals(PortTarget? other)
        => other is not null && Equals(HostIp, other.HostIp) && TargetPort == other.TargetPort && Backends.SequenceEqual(other.Backends);

    public override int GetHashCode() => HashCode.Combine(HostIp, TargetPort, Backends.Length);
}

/// <summary>What to change so that the kernel forwards the wanted ports.</summary>
/// <param name="Add">Ports that had no chain.</param>
/// <param name="Replace">Ports whose chain is rewritten in place.</param>
/// <param name="Remove">Ports that end.</param>
internal sealed record PortPlan(
    ImmutableArray<(HostPort Port, ImmutableArray<PortTarget> Targets)> Add,
    ImmutableArray<(HostPort Port, ImmutableArray<PortTarget> Targets)> Replace,
    ImmutableArray<HostPort> Remove)
{
    internal bool IsEmpty => Add.IsEmpty && Replace.IsEmpty && Remove.IsEmpty;

    /// <summary>The changed UDP ports, each with the backends it no longer has.</summary>
    internal IEnumerable<(int Port, HashSet<IPAddress> Gone)> ChangedUdp(ForwardedPorts have, ForwardedPorts want)
        => Add.Select(change => change.Port).Concat(Replace.Select(change => change.Port)).Concat(Remove)
            .Where(port => port.Protocol == PortProtocol.Udp)
            .Select(port => (port.Port, Backends(have, port).Except(Backends(want, port)).ToHashSet()));

    internal static PortPlan Diff(ForwardedPorts have, ForwardedPorts want) => new(
        Add: [.. want.Where(port => !have.ContainsKey(port.Key)).Select(port => (port.Key, port.Value))],
        Replace: [.. want.Where(port => have.TryGetValue(port.Key, out var now) && !now.SequenceEqual(port.Value)).Select(port => (port.Key, port.Value))],
        Remove: [.. have.Keys.Where(port => !want.ContainsKey(port))]);

    /// <summary>
    /// All ports the host shall forward: those of single containers, then the services', which yield where they meet. A target for one host address
    /// comes before the one for all.
    /// </summary>
    internal static ForwardedPorts Want(
        IEnumerable<(IPAddress Container, BoundPort Port)> containers, IEnumerable<PublishedPort> services)
    {
        var ports = new SortedDictionary<HostPort, List<PortTarget>>();
        foreach (var (container, port) in containers)
            Targets(new HostPort(port.Protocol, port.HostPort)).Add(new PortTarget(port.HostIp, port.ContainerPort, [container]));
        foreach (var service in services)
        {
            var targets = Targets(new HostPort(service.Protocol, service.Port));
            if (!targets.Exists(target => target.HostIp is null))
                targets.Add(new PortTarget(null, service.TargetPort, [.. service.Backends.Select(backend => backend.Address)]));
        }

        return ports.ToImmutableSortedDictionary(
            port => port.Key, port => port.Value.OrderBy(target => target.HostIp is null).ToImmutableArray());

        List<PortTarget> Targets(HostPort key)
        {
            if (!ports.TryGetValue(key, out var list))
                ports.Add(key, list = []);
            return list;
        }
    }

    private static IEnumerable<IPAddress> Backends(ForwardedPorts ports, HostPort port)
        => ports.TryGetValue(port, out var targets) ? targets.SelectMany(target => target.Backends) : [];
}
