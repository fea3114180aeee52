using System.Collections.Immutable;
using System.Net;

using Orchestrator.Worker.Linux.Netlink;
using Orchestrator.Worker.Network.Plan;

namespace Orchestrator.Worker.Network.Bridge;

/// <summary>A network as the rules see it.</summary>
internal readonly record struct RuledNetwork(string Bridge, IPNetwork Prefix, bool Internal);

/// <summary>
/// The instance's nf_tables table. Established connections live in conntrack, so replacing rules never breaks one.
/// <code>
/// raw         127.0.0.0/8 from anywhere but lo is dropped: the bridges' route_localnet must not open the host's loopback
/// prerouting  local destination: protocol . port -> chain of the port, which picks a backend and rewrites the destination
/// output      the same for the host's own connections
/// forward     answers and published ports in, containers out, nothing else into a bridge, nothing through an internal one
/// postrouting masquerade: out of the host; from 127.0.0.1 (the container could not answer it); back into the same bridge
///             (a neighbour would answer directly, past the rewrite)
/// input       a published port without a backend is refused rather than left to time out
/// </code>
/// </summary>
internal static class RuleSet
{
    internal const string Ports = "ports";
    internal const string Refused = "refused";
    private static readonly IPNetwork Loopback = new(new IPAddress([127, 0, 0, 0]), 8);

    /// <summary>Everything anew in one transaction, whatever was there.</summary>
    internal static NetlinkBatch Rebuild(LinkNames names, IReadOnlyList<RuledNetwork> networks, ForwardedPorts ports)
    {
        var batch = new NftBatch(names.Table);
        batch.AddTable();
        batch.DeleteTable();
        batch.AddTable();
        batch.AddPortMap(Ports);
        batch.AddPortSet(Refused);
        batch.AddBaseChain("raw", "filter", NftHook.PreRouting, -300);
        batch.AddBaseChain("prerouting", "nat", NftHook.PreRouting, -100);
        batch.AddBaseChain("output", "nat", NftHook.Output, -100);
        batch.AddBaseChain("forward", "filter", NftHook.Forward, 0);
        batch.AddBaseChain("postrouting", "nat", NftHook.PostRouting, 100);
        batch.AddBaseChain("input", "filter", NftHook.Input, 0);
        batch.AddRule("raw", rule =>
        {
            rule.InputName(NftExpressions.NotEqual, "lo");
            rule.DestinationIn(Loopback);
            rule.Verdict(NftVerdict.Drop);
        });
        foreach (var chain in (ReadOnlySpan<string>)["prerouting", "output"])
        {
            batch.AddRule(chain, rule =>
            {
                rule.DestinationIsLocal();
                rule.ProtocolAndPortVerdict(Ports);
            });
        }

        foreach (var protocol in (ReadOnlySpan<byte>)[NftExpressions.Tcp, NftExpressions.Udp])
        {
            batch.AddRule("input", rule =>
            {
                rule.Protocol(protocol);
                rule.ProtocolAndPortIn(Refused);
                rule.Reject(protocol);
            });
        }

        WriteNetworks(batch, networks);
        foreach (var (port, targets) in ports)
            AddPort(batch, port, targets);
        return batch.Finish();
    }

    /// <summary>The rules of all networks anew; ports stay as they are.</summary>
    internal static NetlinkBatch ReplaceNetworks(LinkNames names, IReadOnlyList<RuledNetwork> networks)
    {
        var batch = new NftBatch(names.Table);
        batch.FlushChain("forward");
        batch.FlushChain("postrouting");
        WriteNetworks(batch, networks);
        return batch.Finish();
    }

    internal static NetlinkBatch Change(LinkNames names, PortPlan plan, ForwardedPorts have)
    {
        var batch = new NftBatch(names.Table);
        foreach (var port in plan.Remove)
        {
            Unlist(batch, port, have[port]);
            batch.FlushChain(Chain(port));
            batch.DeleteChain(Chain(port));
        }

        foreach (var (port, targets) in plan.Replace)
        {
            batch.FlushChain(Chain(port));
            if (IsRefused(have[port]) && !IsRefused(targets))
                batch.DeletePortElement(Refused, (byte)port.Protocol, port.Port);
            if (!IsRefused(have[port]) && IsRefused(targets))
                batch.AddPortElement(Refused, (byte)port.Protocol, port.Port, goTo: null);
            WriteTargets(batch, port, targets);
        }

        foreach (var (port, targets) in plan.Add)
            AddPort(batch, port, targets);
        return batch.Finish();
    }

    internal static NetlinkBatch Delete(LinkNames names)
    {
        var batch = new NftBatch(names.Table);
        // Adding first makes the deletion of a table that is not there no error.
        batch.AddTable();
        batch.DeleteTable();
        return batch.Finish();
    }

    private static void WriteNetworks(NftBatch batch, IReadOnlyList<RuledNetwork> networks)
    {
        batch.AddRule("forward", rule =>
        {
            rule.Established();
            rule.Verdict(NftVerdict.Accept);
        });
        foreach (var network in networks.Where(network => network.Internal))
        {
            batch.AddRule("forward", rule =>
            {
                rule.InputName(NftExpressions.Equal, network.Bridge);
                rule.OutputName(NftExpressions.NotEqual, network.Bridge);
                rule.Verdict(NftVerdict.Drop);
            });
            batch.AddRule("forward", rule =>
            {
                rule.OutputName(NftExpressions.Equal, network.Bridge);
                rule.InputName(NftExpressions.NotEqual, network.Bridge);
                rule.Verdict(NftVerdict.Drop);
            });
        }

        batch.AddRule("forward", rule =>
        {
            rule.DestinationWasRewritten();
            rule.Verdict(NftVerdict.Accept);
        });
        foreach (var network in networks)
        {
            batch.AddRule("forward", rule =>
            {
                rule.OutputName(NftExpressions.Equal, network.Bridge);
                rule.InputName(NftExpressions.NotEqual, network.Bridge);
                rule.Verdict(NftVerdict.Drop);
            });
            if (!network.Internal)
            {
                batch.AddRule("postrouting", rule =>
                {
                    rule.SourceIn(network.Prefix);
                    rule.OutputName(NftExpressions.NotEqual, network.Bridge);
                    rule.Masquerade();
                });
            }

            batch.AddRule("postrouting", rule =>
            {
                rule.SourceIn(Loopback);
                rule.OutputName(NftExpressions.Equal, network.Bridge);
                rule.Masquerade();
            });
            batch.AddRule("postrouting", rule =>
            {
                rule.SourceIn(network.Prefix);
                rule.OutputName(NftExpressions.Equal, network.Bridge);
                rule.DestinationWasRewritten();
                rule.Masquerade();
            });
        }
    }

    private static void AddPort(NftBatch batch, HostPort port, ImmutableArray<PortTarget> targets)
    {
        batch.AddChain(Chain(port));
        WriteTargets(batch, port, targets);
        batch.AddPortElement(Ports, (byte)port.Protocol, port.Port, Chain(port));
        if (IsRefused(targets))
            batch.AddPortElement(Refused, (byte)port.Protocol, port.Port, goTo: null);
    }

    private static void Unlist(NftBatch batch, HostPort port, ImmutableArray<PortTarget> targets)
    {
        batch.DeletePortElement(Ports, (byte)port.Protocol, port.Port);
        if (IsRefused(targets))
            batch.DeletePortElement(Refused, (byte)port.Protocol, port.Port);
    }

    private static void WriteTargets(NftBatch batch, HostPort port, ImmutableArray<PortTarget> targets)
    {
        foreach (var target in targets)
        {
            Action<NftExpressions>? match = target.HostIp is { } ip ? rule => rule.DestinationIn(new IPNetwork(ip, 32)) : null;
            if (target.Backends.IsEmpty)
                continue;
            if (target.Backends.Length > 1)
                batch.AddBalanceRule(Chain(port), target.Backends, target.TargetPort, match);
            // Behind the balancing too: a packet that is inside the old rules while a transaction commits finds their map empty already, and would
            // fall through to the socket that holds the port.
            batch.AddRule(Chain(port), rule =>
            {
                match?.Invoke(rule);
                rule.RewriteTo(target.Backends[0], target.TargetPort);
            });
        }
    }

    private static bool IsRefused(ImmutableArray<PortTarget> targets) => targets.Any(target => target.HostIp is null && target.Backends.IsEmpty);

    private static string Chain(HostPort port) => $"port-{(port.Protocol == PortProtocol.Tcp ? "tcp" : "udp")}-{port.Port}";
}
