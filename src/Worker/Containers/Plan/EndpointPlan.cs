using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Network;

namespace Orchestrator.Worker.Containers.Plan;

/// <summary>Which networks a container joins and which ports it publishes.</summary>
internal sealed record EndpointPlan
{
    internal const string DefaultNetwork = "bridge";

    /// <summary>It uses the host's own network: no sandbox is made.</summary>
    public bool HostNetwork { get; init; }

    /// <summary>The container whose network it uses: no sandbox is made.</summary>
    public string? Joins { get; init; }

    public ImmutableArray<EndpointRequest> Endpoints { get; init; } = [];
    public ImmutableArray<PortRequest> Ports { get; init; } = [];

    /// <summary>What is asked for and has no effect, for whoever asks.</summary>
    public ImmutableArray<string> Warnings { get; init; } = [];

    /// <summary>The network that a mode or a name of a request means: stock clients write <c>default</c> where none is asked for.</summary>
    internal static string NameOf(string? mode) => string.IsNullOrEmpty(mode) || mode == "default" ? DefaultNetwork : mode;

    /// <param name="host">The request.</param>
    /// <param name="networking">The request's networks; the one that is the mode comes first.</param>
    /// <param name="name">The container's name: its neighbours find it by it, except on the default network.</param>
    /// <param name="shortId">The same.</param>
    /// <param name="networks">Those this host has.</param>
    /// <param name="problems">What is wrong.</param>
    internal static EndpointPlan Of(
        HostConfig host, NetworkingConfig? networking, string name, string shortId, IReadOnlyList<HostNetwork> networks, List<Problem> problems)
    {
        var mode = NameOf(host.NetworkMode);
        var ports = Published(host.PortBindings, problems);
        if (NamespaceModes.ContainerOf(mode) is { } other)
        {
            if (networking?.EndpointsConfig.Count > 0)
                problems.Add(new Problem("NetworkingConfig", $"conflicting options: cannot attach both user-defined and non-user-defined network-modes ({mode})"));
            return new EndpointPlan { Joins = other };
        }

        if (mode is "host" or "none")
        {
            if (networking?.EndpointsConfig.Keys.Any(k => k != mode) ?? false)
                problems.Add(new Problem("NetworkingConfig", $"conflicting options: cannot attach both user-defined and non-user-defined network-modes ({mode})"));
            return new EndpointPlan
            {
                HostNetwork = mode == "host",
                Warnings = ports.IsEmpty ? [] : [$"Published ports are discarded when using {mode} network mode"],
            };
        }

        var asked = new List<(string Reference, EndpointSettings? Settings)>();
        var given = networking?.EndpointsConfig ?? new Dictionary<string, EndpointSettings?>();
        var first = Find(mode, networks);
        var firstKey = given.Keys.FirstOrDefault(k => k == mode || (k == "default" && mode == DefaultNetwork) || (first is not null && (k == first.Id || k == first.Name)));
        asked.Add((mode, firstKey is null ? null : given[firstKey]));
        asked.AddRange(given.Where(g => g.Key != firstKey).Select(g => (g.Key, g.Value)));

        var endpoints = ImmutableArray.CreateBuilder<EndpointRequest>();
        foreach (var (reference, settings) in asked)
        {
            if (Find(reference, networks) is not { } network)
            {
                problems.Add(new Problem("NetworkingConfig", $"network {reference} not found"));
                continue;
            }

            endpoints.Add(new EndpointRequest
            {
                NetworkId = network.Id,
                Address = Address(settings, problems),
                Mac = Mac(settings, problems),
                Aliases = network.Name == DefaultNetwork ? [] : [.. (settings?.Aliases ?? []).Append(name).Append(shortId).Distinct(StringComparer.Ordinal)],
            });
        }

        return new EndpointPlan { Endpoints = endpoints.ToImmutable(), Ports = ports };
    }

    private static HostNetwork? Find(string reference, IReadOnlyList<HostNetwork> networks) =>
        networks.FirstOrDefault(n => n.Id == reference)
        ?? networks.FirstOrDefault(n => n.Name == reference)
        ?? (reference.Length >= 12 ? networks.FirstOrDefault(n => n.Id.StartsWith(reference, StringComparison.Ordinal)) : null);

    private static IPAddress? Address(EndpointSettings? settings, List<Problem> problems)
    {
        var text = settings?.IpamConfig?.Ipv4Address;
        if (string.IsNullOrEmpty(text))
            return null;
        if (IPAddress.TryParse(text, out var address))
            return address;
        problems.Add(new Problem("NetworkingConfig", $"invalid IPv4 address: {text}"));
        return null;
    }

    private static PhysicalAddress? Mac(EndpointSettings? settings, List<Problem> problems)
    {
        if (string.IsNullOrEmpty(settings?.MacAddress))
            return null;
        if (PhysicalAddress.TryParse(settings.MacAddress, out var mac))
            return mac;
        problems.Add(new Problem("NetworkingConfig", $"invalid MAC address: {settings.MacAddress}"));
        return null;
    }

    private static ImmutableArray<PortRequest> Published(IReadOnlyDictionary<string, IReadOnlyList<PortBinding>> bindings, List<Problem> problems)
    {
        var ports = ImmutableArray.CreateBuilder<PortRequest>();
        foreach (var (key, hosts) in bindings)
        {
            var parts = key.Split('/');
            var protocol = parts.Length == 1 ? "tcp" : parts[1].ToLowerInvariant();
            if (parts.Length > 2 || !TryPort(parts[0], out var inside) || inside == 0)
            {
                problems.Add(new Problem("HostConfig.PortBindings", $"invalid port specification: \"{key}\""));
                continue;
            }

            if (protocol is not ("tcp" or "udp"))
            {
                problems.Add(new Problem("HostConfig.PortBindings", $"port {key}: only tcp and udp can be published"));
                continue;
            }

            foreach (var binding in hosts is { Count: > 0 } ? hosts : [new PortBinding()])
            {
                IPAddress? address = null;
                if (!string.IsNullOrEmpty(binding.HostIp) && binding.HostIp is not ("0.0.0.0" or "::") && !IPAddress.TryParse(binding.HostIp, out address))
                    problems.Add(new Problem("HostConfig.PortBindings", $"invalid IP address: {binding.HostIp}"));
                else if (!TryRange(binding.HostPort, out var outside, out var last))
                    problems.Add(new Problem("HostConfig.PortBindings", $"invalid port specification: \"{binding.HostPort}\""));
                else
                    ports.Add(new PortRequest(protocol == "tcp" ? PortProtocol.Tcp : PortProtocol.Udp, address, outside, inside, last));
            }
        }

        return ports.ToImmutable();
    }

    /// <summary>Nothing, a port, or <c>FIRST-LAST</c>, of which a free one is taken; <paramref name="last"/> is 0 where there is no choice.</summary>
    private static bool TryRange(string? text, out int first, out int last)
    {
        (first, last) = (0, 0);
        if (string.IsNullOrEmpty(text))
            return true;
        var dash = text.IndexOf('-');
        return dash < 0
            ? TryPort(text, out first)
            : TryPort(text[..dash], out first) && TryPort(text[(dash + 1)..], out last) && first > 0 && first <= last;
    }

    private static bool TryPort(string text, out int port) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port <= 65535;
}
