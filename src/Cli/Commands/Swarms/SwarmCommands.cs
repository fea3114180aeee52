using System.CommandLine;
using System.Globalization;
using Orchestrator.Cli.Client;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Swarms;

/// <summary><c>orch swarm …</c></summary>
internal static class SwarmCommands
{
    internal static Command Create(Shell shell) => Flags.Group(
        "swarm", "Manage the cluster",
        Init(shell), JoinCommand.Create(shell), JoinTokenCommand.Create(shell), UnlockCommands.Unlock(shell), UnlockCommands.Key(shell), UpdateCommand.Create(shell),
        Inspect(shell), Leave(shell));

    private static Command Init(Shell shell)
    {
        var listen = Flags.Text("--listen-addr", "Listen address (format: <ip|interface>[:port])", "node-addr");
        var advertise = Flags.Text("--advertise-addr", "Advertised address (format: <ip|interface>[:port])");
        var dataPath = Flags.Text("--data-path-addr", "Address or interface to use for data path traffic");
        var dataPort = Flags.Text("--data-path-port", "Port number to use for data path traffic (1024 - 49151)", "uint32");
        var pool = Flags.List("--default-addr-pool", "Default address pool in CIDR format", "ipNetSlice");
        var mask = Flags.Text("--default-addr-pool-mask-length", "Default address pool subnet mask length", "uint32");
        var availability = Flags.Text("--availability", "Availability of the node (active, pause, drain)");
        var force = Flags.Switch("--force-new-cluster", "Force create a new cluster from current state");
        var locked = Flags.Switch("--autolock", "Enable manager autolocking (requiring an unlock key to start a stopped manager)");
        var history = Flags.Text("--task-history-limit", "Task history retention limit", "int");
        return new Command("init", "Initialize a cluster").Does(
            shell, [listen, advertise, dataPath, dataPort, pool, mask, availability, force, locked, history], async (call, stop) =>
        {
            var request = new SwarmInitRequest
            {
                ListenAddr = call.Get(listen) ?? "0.0.0.0:2377",
                AdvertiseAddr = call.Get(advertise),
                DataPathAddr = call.Get(dataPath),
                DataPathPort = (uint)(Services.ServiceFlags.Count(call, dataPort) ?? 0),
                DefaultAddrPool = call.Get(pool) ?? [],
                SubnetSize = (uint)(Services.ServiceFlags.Count(call, mask) ?? 0),
                ForceNewCluster = call.Get(force),
                AutoLockManagers = call.Get(locked),
                Availability = Services.ServiceFlags.OneOf(call, availability, "active", "pause", "drain"),
                Spec = Services.ServiceFlags.Count(call, history) is { } limit
                    ? new SwarmSpec { Orchestration = new SwarmOrchestrationOptions { TaskHistoryRetentionLimit = (long)limit } }
                    : new SwarmSpec(),
            };
            var node = await call.Client.SendAsync<SwarmInitRequest, string>(HttpMethod.Post, "/swarm/init", request, stop);
            await call.Shell.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"Swarm initialized: current node ({node}) is now a manager."));
            await call.Shell.Out.WriteLineAsync();
            await JoinTokenCommand.ExplainAsync(call, "worker", stop);
            await call.Shell.Out.WriteLineAsync("To add a manager to this swarm, run 'orch swarm join-token manager' and follow the instructions.");
            if (call.Get(locked))
            {
                await call.Shell.Out.WriteLineAsync();
                await UnlockCommands.ExplainAsync(call, stop);
            }

            return 0;
        });
    }

    private static Command Inspect(Shell shell)
    {
        var format = Flags.Text("--format", Flags.FormatWords, "string", "-f");
        return new Command("inspect", "Display the cluster as the managers hold it").Does(shell, [format], async (call, stop) =>
        {
            var swarm = await call.Client.GetJsonAsync("/swarm", stop);
            await call.Shell.Out.WriteLineAsync(call.Get(format) is null or "" or "json"
                ? swarm.GetRawText()
                : Output.Templates.Template.Parse(call.Get(format)!).Render(swarm));
            return 0;
        });
    }

    private static Command Leave(Shell shell)
    {
        var force = Flags.Switch("--force", "Force this node to leave the cluster, ignoring warnings", "-f");
        return new Command("leave", "Leave the cluster").Does(shell, [force], async (call, stop) =>
        {
            await call.Client.SendAsync(HttpMethod.Post, EngineClient.Query("/swarm/leave", ("force", call.Get(force) ? "1" : null)), stop);
            await call.Shell.Out.WriteLineAsync("Node left the swarm.");
            return 0;
        });
    }
}
