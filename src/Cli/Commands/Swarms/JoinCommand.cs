using System.CommandLine;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Swarms;

/// <summary><c>orch swarm join</c></summary>
internal static class JoinCommand
{
    internal static Command Create(Shell shell)
    {
        var token = Flags.Text("--token", "Token for entry into the swarm");
        var listen = Flags.Text("--listen-addr", "Listen address (format: <ip|interface>[:port])", "node-addr");
        var advertise = Flags.Text("--advertise-addr", "Advertised address (format: <ip|interface>[:port])");
        var dataPath = Flags.Text("--data-path-addr", "Address or interface to use for data path traffic");
        var availability = Flags.Text("--availability", "Availability of the node (active, pause, drain)");
        var managers = Flags.Several("HOST:PORT");
        managers.Description = "Managers to ask, tried in turn; several by spaces or commas";
        return new Command("join", "Join a cluster as a node and/or manager").Does(
            shell, [token, listen, advertise, dataPath, availability, managers], async (call, stop) =>
        {
            var request = new SwarmJoinRequest
            {
                ListenAddr = call.Get(listen) ?? "0.0.0.0:2377",
                AdvertiseAddr = call.Get(advertise),
                DataPathAddr = call.Get(dataPath),
                JoinToken = call.Get(token),
                Availability = Services.ServiceFlags.OneOf(call, availability, "active", "pause", "drain"),
                RemoteAddrs = [.. call.Get(managers)!.SelectMany(m => m.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))],
            };
            await call.Client.SendAsync(HttpMethod.Post, "/swarm/join", request, stop);
            var info = await call.Client.GetAsync<InfoReply>("/info", stop);
            await call.Shell.Out.WriteLineAsync(info.Swarm.ControlAvailable ? "This node joined a swarm as a manager." : "This node joined a swarm as a worker.");
            return 0;
        });
    }
}
