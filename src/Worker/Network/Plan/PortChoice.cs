using System.Collections.Immutable;
using Orchestrator.Worker.Network.Ports;

namespace Orchestrator.Worker.Network.Plan;

/// <summary>Which host ports to ask for, where a container named ranges.</summary>
internal static class PortChoice
{
    /// <param name="wanted">The container's ports.</param>
    /// <param name="isTaken">Whether a port is known not to be had.</param>
    /// <exception cref="NetworkException">A range has no port left.</exception>
    internal static ImmutableArray<HeldPort> Of(ImmutableArray<PortRequest> wanted, Func<HeldPort, bool> isTaken)
    {
        // A port that is asked for by its number goes before a range in which it lies.
        var chosen = wanted.Where(port => !port.IsRange).Select(port => (port.Protocol, port.HostPort)).ToHashSet();
        return [.. wanted.Select(port => port.IsRange ? Free(port) : new HeldPort(port.Protocol, port.HostIp, port.HostPort))];

        HeldPort Free(PortRequest range)
        {
            for (var port = range.HostPort; port <= range.LastHostPort; port++)
            {
                var held = new HeldPort(range.Protocol, range.HostIp, port);
                if (!isTaken(held) && chosen.Add((range.Protocol, port)))
                    return held;
            }

            throw new NetworkException(
                $"no port of {range.HostPort}-{new HostPort(range.Protocol, range.LastHostPort)} is free: all are published or in use on this host; publish on a wider range, or leave the host's port out");
        }
    }
}
