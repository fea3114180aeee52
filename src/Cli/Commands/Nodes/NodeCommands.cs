using System.CommandLine;
using Orchestrator.Cli.Client;
using Orchestrator.Cli.Commands.Inspection;
using Orchestrator.Cli.Commands.Services;
using Orchestrator.Cli.Commands.Tasks;
using Orchestrator.Cli.Output;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Nodes;

/// <summary><c>orch node …</c></summary>
internal static class NodeCommands
{
    internal static Command Create(Shell shell) => Flags.Group(
        "node", "Manage the nodes of the cluster", List(shell), InspectCommand.Of(shell, "node", "nodes"), Tasks(shell), Update(shell), Remove(shell),
        Turn(shell, "promote", NodeRole.Manager), Turn(shell, "demote", NodeRole.Worker));

    private static Listing<Node> Listing(string self) => new(
        [
            new("ID", "ID", n => n.Id.Value),
            new("Self", "SELF", n => n.Id.Value == self ? "true" : "false"),
            new("IDShown", "ID", n => n.Id.Value == self ? $"{n.Id.Value} *" : n.Id.Value),
            new("Hostname", "HOSTNAME", n => n.Description?.Hostname ?? ""),
            new("Status", "STATUS", n => n.Status.State.ToString()),
            new("Availability", "AVAILABILITY", n => n.Spec.Availability.ToString()),
            new("ManagerStatus", "MANAGER STATUS", n => n.ManagerStatus is { } m ? m.Leader ? "Leader" : m.Reachability.ToString() : ""),
            new("EngineVersion", "ENGINE VERSION", n => n.Description?.Engine.EngineVersion ?? ""),
        ],
        ["IDShown", "Hostname", "Status", "Availability", "ManagerStatus", "EngineVersion"]);

    private static Command List(Shell shell)
    {
        var (filter, format, quiet) = (Flags.Filter(), Flags.Format(), Flags.Quiet("Only display IDs"));
        return new Command("ls", "List nodes in the cluster").Also("list").Does(shell, [filter, format, quiet], async (call, stop) =>
        {
            var nodes = await call.Client.GetAsync<IReadOnlyList<Node>>(
                EngineClient.Query("/nodes", ("filters", EngineClient.Filters(Flags.Filters(call.Get(filter))))), stop);
            var self = call.Get(quiet) ? "" : (await call.Client.GetAsync<InfoReply>("/info", stop)).Swarm.NodeId;
            await call.WriteAsync(
                Listing(self), [.. nodes.OrderBy(n => n.Description?.Hostname, StringComparer.Ordinal)], call.Get(format), call.Get(quiet));
            return 0;
        });
    }

    private static async Task<string> ResolveAsync(Invocation call, string name, CancellationToken stop) => name == "self"
        ? (await call.Client.GetAsync<InfoReply>("/info", stop)).Swarm.NodeId
        : (await call.Client.GetAsync<Node>($"/nodes/{EngineClient.Name(name)}", stop)).Id.Value;

    private static Command Tasks(Shell shell)
    {
        var (filter, format, noTrunc, quiet) = (Flags.Filter(), Flags.Format(), Flags.NoTrunc(), Flags.Quiet("Only display task IDs"));
        var noResolve = Flags.Switch("--no-resolve", "Do not map IDs to Names");
        var names = new Argument<string[]>("NODE") { Arity = ArgumentArity.ZeroOrMore };
        return new Command("ps", "List tasks running on one or more nodes, defaults to current node").Does(
            shell, [filter, format, noTrunc, noResolve, quiet, names], async (call, stop) =>
        {
            var ids = new List<string>();
            var given = call.Get(names) is { Length: > 0 } some ? some : ["self"];
            var code = await call.EachAsync(given, async name => ids.Add(await ResolveAsync(call, name, stop)));
            var rows = ids.Count == 0 ? [] : await call.TaskRowsAsync(Flags.Filters(call.Get(filter), [.. ids.Select(id => ("node", id))]), call.Get(noResolve), stop);
            await call.WriteAsync(TaskRow.Listing(call.Get(noTrunc), call.Now), rows, call.Get(format), call.Get(quiet));
            return code;
        });
    }

    private static Command Update(Shell shell)
    {
        var availability = Flags.Text("--availability", "Availability of the node (active, pause, drain)");
        var role = Flags.Text("--role", "Role of the node (worker, manager)");
        var add = Flags.List("--label-add", "Add or update a node label (key=value)", "list");
        var remove = Flags.List("--label-rm", "Remove a node label if exists", "list");
        var name = Flags.One("NODE");
        return new Command("update", "Update a node").Does(shell, [availability, role, add, remove, name], async (call, stop) =>
        {
            var gone = call.Get(remove) ?? [];
            await ChangeAsync(call, call.Get(name), node =>
            {
                foreach (var label in gone.Where(l => !node.Spec.Labels.ContainsKey(l)))
                    throw new CommandException($"key {label} doesn't exist in node's labels");
                return node.Spec with
                {
                    Availability = ServiceFlags.OneOf(call, availability, "active", "pause", "drain") switch
                    {
                        "active" => NodeAvailability.Active,
                        "pause" => NodeAvailability.Pause,
                        "drain" => NodeAvailability.Drain,
                        _ => node.Spec.Availability,
                    },
                    Role = ServiceFlags.OneOf(call, role, "worker", "manager") switch
                    {
                        "worker" => NodeRole.Worker,
                        "manager" => NodeRole.Manager,
                        _ => node.Spec.Role,
                    },
                    Labels = ServiceFlags.Pairs(node.Spec.Labels.Where(l => !gone.Contains(l.Key)).ToDictionary(StringComparer.Ordinal), call.Get(add)),
                };
            }, stop);
            await call.Shell.Out.WriteLineAsync(call.Get(name));
            return 0;
        });
    }

    private static Command Remove(Shell shell)
    {
        var force = Flags.Switch("--force", "Force remove a node from the cluster", "-f");
        var names = Flags.Several("NODE");
        return new Command("rm", "Remove one or more nodes from the cluster").Also("remove").Does(shell, [force, names], (call, stop) =>
            call.EachAsync(call.Get(names), async name =>
            {
                await call.Client.SendAsync(HttpMethod.Delete, EngineClient.Query($"/nodes/{EngineClient.Name(name)}", ("force", call.Get(force) ? "1" : null)), stop);
                await call.Shell.Out.WriteLineAsync(name);
            }));
    }

    private static Command Turn(Shell shell, string verb, NodeRole role)
    {
        var names = Flags.Several("NODE");
        return new Command(verb, role == NodeRole.Manager ? "Promote one or more nodes to manager in the cluster" : "Demote one or more nodes from manager in the cluster")
            .Does(shell, [names], (call, stop) => call.EachAsync(call.Get(names), async name =>
            {
                if (!await ChangeAsync(call, name, node => node.Spec.Role == role ? null : node.Spec with { Role = role }, stop))
                    await call.Shell.Out.WriteLineAsync($"Node {name} is already a {(role == NodeRole.Manager ? "manager" : "worker")}.");
                else
                    await call.Shell.Out.WriteLineAsync(role == NodeRole.Manager ? $"Node {name} promoted to a manager in the swarm." : $"Manager {name} demoted in the swarm.");
            }));
    }

    /// <summary>A node's version also grows when it is heard of or lost: what the operator wants of it is then said again of the newer one.</summary>
    /// <param name="change">Null: nothing is to be done.</param>
    private static async Task<bool> ChangeAsync(Invocation call, string name, Func<Node, NodeSpec?> change, CancellationToken stop)
    {
        for (var attempt = 1; ; attempt++)
        {
            var node = await call.Client.GetAsync<Node>($"/nodes/{EngineClient.Name(await ResolveAsync(call, name, stop))}", stop);
            if (change(node) is not { } spec)
                return false;
            try
            {
                await call.Client.SendAsync(HttpMethod.Post, EngineClient.Query($"/nodes/{node.Id.Value}/update", ("version", $"{node.Version.Index}")), spec, stop);
                return true;
            }
            catch (EngineException raced) when (attempt < 5 && raced.Message.Contains("update out of sequence", StringComparison.Ordinal))
            {
                // Read again.
            }
        }
    }
}
