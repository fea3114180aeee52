using System.CommandLine;
using Orchestrator.Cli.Client;
using Orchestrator.Cli.Commands.Inspection;
using Orchestrator.Cli.Commands.Services;
using Orchestrator.Cli.Commands.Systems;
using Orchestrator.Cli.Output;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Networks;

/// <summary><c>orch network …</c></summary>
internal static class NetworkCommands
{
    internal static Command Create(Shell shell) => Flags.Group(
        "network", "Manage networks", Add(shell), InspectCommand.Of(shell, "network", "networks"), List(shell), Prune(shell), Remove(shell));

    private static Listing<Network> Listing(bool noTrunc) => new(
        [
            new("ID", "NETWORK ID", n => Texts.Id(n.Id.Value, noTrunc)),
            new("Name", "NAME", n => n.Name),
            new("Driver", "DRIVER", n => n.Driver),
            new("Scope", "SCOPE", n => n.Scope),
            new("IPv4", "IPV4", n => n.EnableIpv4 ? "true" : "false"),
            new("IPv6", "IPV6", n => n.EnableIpv6 ? "true" : "false"),
            new("Internal", "INTERNAL", n => n.Internal ? "true" : "false"),
            new("Labels", "LABELS", n => Texts.Labels(n.Labels)),
            new("CreatedAt", "CREATED AT", n => Texts.Time(n.Created)),
        ],
        ["ID", "Name", "Driver", "Scope"]);

    private static Command List(Shell shell)
    {
        var (filter, format, noTrunc, quiet) = (Flags.Filter(), Flags.Format(), Flags.NoTrunc(), Flags.Quiet("Only display network IDs"));
        return new Command("ls", "List networks").Also("list").Does(shell, [filter, format, noTrunc, quiet], async (call, stop) =>
        {
            var networks = await call.Client.GetAsync<IReadOnlyList<Network>>(
                EngineClient.Query("/networks", ("filters", EngineClient.Filters(Flags.Filters(call.Get(filter))))), stop);
            await call.WriteAsync(Listing(call.Get(noTrunc)), [.. networks.OrderBy(n => n.Name, StringComparer.Ordinal)], call.Get(format), call.Get(quiet));
            return 0;
        });
    }

    private static Command Add(Shell shell)
    {
        var driver = Flags.Text("--driver", "Driver to manage the network (bridge, overlay)", "string", "-d");
        var subnet = Flags.List("--subnet", "Subnet in CIDR format that represents a network segment", "strings");
        var gateway = Flags.List("--gateway", "IPv4 gateway for the subnet", "strings");
        var range = Flags.List("--ip-range", "Allocate container ip from a sub-range", "strings");
        var inside = Flags.Switch("--internal", "Restrict external access to the network");
        var attachable = Flags.Switch("--attachable", "Enable manual container attachment");
        var label = Flags.List("--label", "Set metadata on a network", "list");
        var option = Flags.List("--opt", "Set driver specific options", "map", "-o");
        var scope = Flags.Text("--scope", "Control the network's scope");
        var ipv6 = Flags.Switch("--ipv6", "Enable IPv6 address assignment");
        var name = Flags.One("NETWORK");
        return new Command("create", "Create a network").Does(
            shell, [driver, subnet, gateway, range, inside, attachable, label, option, scope, ipv6, name], async (call, stop) =>
        {
            var (subnets, gateways, ranges) = (call.Get(subnet) ?? [], call.Get(gateway) ?? [], call.Get(range) ?? []);
            if (gateways.Length > subnets.Length || ranges.Length > subnets.Length)
                throw new CommandException("every --gateway and --ip-range needs the --subnet that it lies in");
            var request = new NetworkCreateRequest
            {
                Name = call.Get(name),
                Driver = call.Get(driver) ?? "bridge",
                Scope = call.Get(scope),
                Internal = call.Get(inside),
                Attachable = call.Get(attachable),
                EnableIpv6 = call.Has(ipv6) ? call.Get(ipv6) : null,
                Labels = ServiceFlags.Pairs(new Dictionary<string, string>(), call.Get(label)),
                Options = ServiceFlags.Pairs(new Dictionary<string, string>(), call.Get(option)),
                Ipam = subnets.Length == 0 ? null : new Ipam
                {
                    Config = [.. subnets.Select((s, i) => new IpamConfig { Subnet = s, Gateway = gateways.ElementAtOrDefault(i), IpRange = ranges.ElementAtOrDefault(i) })],
                },
            };
            var reply = await call.Client.SendAsync<NetworkCreateRequest, NetworkCreateReply>(HttpMethod.Post, "/networks/create", request, stop);
            if (reply.Warning.Length > 0)
                await call.Shell.Error.WriteLineAsync($"WARNING: {reply.Warning}");
            await call.Shell.Out.WriteLineAsync(reply.Id);
            return 0;
        });
    }

    private static Command Prune(Shell shell)
    {
        var filter = Flags.List("--filter", "Provide filter values (e.g. \"until=<timestamp>\")", "filter");
        var force = Flags.Switch("--force", "Do not prompt for confirmation", "-f");
        return new Command("prune", "Remove all unused networks").Does(shell, [filter, force], async (call, stop) =>
        {
            if (!call.Get(force))
                await Consent.AskAsync(call, "WARNING! This will remove all custom networks not used by at least one container.");
            await (await Pruning.NetworksAsync(call, Flags.Filters(call.Get(filter)), stop)).WriteAsync(call);
            return 0;
        });
    }

    private static Command Remove(Shell shell)
    {
        var force = Flags.Switch("--force", "Do not error if the network does not exist", "-f");
        var names = Flags.Several("NETWORK");
        return new Command("rm", "Remove one or more networks").Also("remove").Does(shell, [force, names], (call, stop) =>
            call.EachAsync(call.Get(names), async name =>
            {
                try
                {
                    await call.Client.SendAsync(HttpMethod.Delete, $"/networks/{EngineClient.Name(name)}", stop);
                    await call.Shell.Out.WriteLineAsync(name);
                }
                catch (EngineException e) when (e.Status == 404 && call.Get(force))
                {
                    // --force asks for the network to be absent, which it is.
                }
            }));
    }
}
