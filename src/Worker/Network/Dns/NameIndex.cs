using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Net;

namespace Orchestrator.Worker.Network.Dns;

/// <summary>A table of names, made for looking up. Immutable: readers take the reference once per query.</summary>
internal sealed class NameIndex
{
    private const string ReverseZone = ".in-addr.arpa";

    private readonly FrozenDictionary<string, Entry> networks;

    internal NameIndex(DnsTable table) => networks = table.Networks.ToFrozenDictionary(network => network.Id, Entry.Of, StringComparer.Ordinal);

    /// <summary>The addresses of the name on the first of the networks that knows it; null when none does.</summary>
    internal ImmutableArray<IPAddress>? Find(ImmutableArray<string> seenNetworks, string name)
    {
        foreach (var id in seenNetworks)
        {
            if (networks.TryGetValue(id, out var network) && network.Names.TryGetValue(name, out var addresses))
                return addresses;
        }

        return null;
    }

    /// <summary>The name of the address that a <c>d.c.b.a.in-addr.arpa</c> question means; null when it is nobody's on these networks.</summary>
    internal string? FindReverse(ImmutableArray<string> seenNetworks, string question)
    {
        if (!question.EndsWith(ReverseZone, StringComparison.OrdinalIgnoreCase))
            return null;
        var labels = question[..^ReverseZone.Length].Split('.');
        if (labels.Length != 4 || !IPAddress.TryParse(string.Join('.', labels.Reverse()), out var address))
            return null;
        foreach (var id in seenNetworks)
        {
            if (networks.TryGetValue(id, out var network) && network.Addresses.TryGetValue(address, out var name))
                return name;
        }

        return null;
    }

    /// <summary>The addresses beginning with another one each time, so that clients that take the first spread out.</summary>
    internal static IPAddress[] Rotate(ImmutableArray<IPAddress> addresses, uint turn)
    {
        var rotated = new IPAddress[addresses.Length];
        for (var i = 0; i < rotated.Length; i++)
            rotated[i] = addresses[(int)((turn + (uint)i) % (uint)rotated.Length)];
        return rotated;
    }

    private sealed record Entry(FrozenDictionary<string, ImmutableArray<IPAddress>> Names, FrozenDictionary<IPAddress, string> Addresses)
    {
        internal static Entry Of(DnsNetwork network) => new(
            network.Names.GroupBy(name => name.Name, StringComparer.OrdinalIgnoreCase)
                .ToFrozenDictionary(group => group.Key, group => group.SelectMany(name => name.Addresses).Distinct().ToImmutableArray(), StringComparer.OrdinalIgnoreCase),
            // An address has its own name (a task's) and shared ones (its service's): the one with the fewest addresses tells most.
            network.Names.SelectMany(name => name.Addresses.Select(address => (Address: address, name.Name, Sharers: name.Addresses.Length)))
                .GroupBy(entry => entry.Address)
                .ToFrozenDictionary(group => group.Key, group => group.OrderBy(entry => entry.Sharers)
                    .ThenBy(entry => entry.Name.StartsWith("tasks.", StringComparison.OrdinalIgnoreCase)).ThenBy(entry => entry.Name, StringComparer.Ordinal).First().Name));
    }
}
