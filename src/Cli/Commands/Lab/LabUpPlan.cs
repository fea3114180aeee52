using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Orchestrator.Cli.Commands.Lab;

/// <summary>What <c>lab up</c> makes. Pure.</summary>
internal static class LabUpPlan
{
    internal const string DefaultSubnet = "192.168.200.0/24";
    internal const int MostHosts = 50;
    private const int FirstHost = 11;

    /// <summary>The host of a number, from 1: host1 is .11, so that the last digits tell them apart.</summary>
    internal static IPAddress AddressOf(IPNetwork network, int host) => Address(network, FirstHost - 1 + host);

    internal static IPAddress Address(IPNetwork network, int offset)
    {
        var bytes = network.BaseAddress.GetAddressBytes();
        BinaryPrimitives.WriteUInt32BigEndian(bytes, BinaryPrimitives.ReadUInt32BigEndian(bytes) + (uint)offset);
        return new IPAddress(bytes);
    }

    internal static int DefaultManagers(int hosts) => hosts < 3 ? 1 : 3;

    /// <exception cref="CommandException">Everything that is wrong with what was asked for, a line each.</exception>
    internal static LabState Make(LabPlace place, int hosts, int? wantedManagers, string? wantedSubnet, IReadOnlyList<string> daemonArguments, string boot)
    {
        var problems = place.Check(hosts).ToList();
        if (hosts is < 1 or > MostHosts)
            problems.Add($"{hosts} is not a number of hosts from 1 to {MostHosts}");
        var managers = wantedManagers ?? DefaultManagers(hosts);
        if (managers < 1 || (hosts >= 1 && managers > hosts))
            problems.Add($"--managers {managers} is not a number from 1 to the number of hosts");
        var subnet = wantedSubnet ?? DefaultSubnet;
        if (!IPNetwork.TryParse(subnet, out var network) || network.BaseAddress.AddressFamily != AddressFamily.InterNetwork)
            problems.Add($"--subnet '{subnet}' is not an IPv4 network such as {DefaultSubnet}");
        else if (network.PrefixLength < 8 || FirstHost + hosts > (1L << (32 - network.PrefixLength)) - 1)
            problems.Add($"--subnet {subnet} has no room for {hosts} hosts: they have the addresses from its {FirstHost}th on");
        if (problems.Count > 0)
            throw new CommandException(string.Join('\n', problems));
        return new LabState
        {
            Name = place.Name,
            Boot = boot,
            Subnet = network.ToString(),
            DaemonArguments = [.. daemonArguments],
            Hosts =
            [
                .. Enumerable.Range(1, hosts).Select(i => new LabHostState
                {
                    Name = $"host{i}", Address = AddressOf(network, i).ToString(), Manager = i <= managers,
                }),
            ],
        };
    }
}
