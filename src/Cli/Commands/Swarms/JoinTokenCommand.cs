using System.CommandLine;
using Orchestrator.Cli.Client;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Swarms;

/// <summary><c>orch swarm join-token</c></summary>
internal static class JoinTokenCommand
{
    internal static Command Create(Shell shell)
    {
        var rotate = Flags.Switch("--rotate", "Rotate join token");
        var quiet = Flags.Quiet("Only display token");
        var role = Flags.One("worker|manager");
        return new Command("join-token", "Manage join tokens").Does(shell, [rotate, quiet, role], async (call, stop) =>
        {
            var wanted = call.Get(role);
            if (wanted is not ("worker" or "manager"))
                throw new CommandException($"unknown role '{wanted}': write worker or manager");
            if (call.Get(rotate))
            {
                var swarm = await call.Client.GetAsync<Swarm>("/swarm", stop);
                var flag = wanted == "worker" ? "rotateWorkerToken" : "rotateManagerToken";
                await call.Client.SendAsync(
                    HttpMethod.Post, EngineClient.Query("/swarm/update", ("version", $"{swarm.Version.Index}"), (flag, "true")), swarm.Spec, stop);
                if (!call.Get(quiet))
                    await call.Shell.Out.WriteLineAsync($"Successfully rotated {wanted} join token.\n");
            }

            if (call.Get(quiet))
                await call.Shell.Out.WriteLineAsync(Token(await call.Client.GetAsync<Swarm>("/swarm", stop), wanted));
            else
                await ExplainAsync(call, wanted, stop);
            return 0;
        });
    }

    /// <summary>The command by which another host joins.</summary>
    internal static async Task ExplainAsync(Invocation call, string role, CancellationToken stop)
    {
        var swarm = await call.Client.GetAsync<Swarm>("/swarm", stop);
        var info = await call.Client.GetAsync<InfoReply>("/info", stop);
        var self = info.Swarm.RemoteManagers.FirstOrDefault(m => m.NodeId == info.Swarm.NodeId)?.Addr ?? $"{info.Swarm.NodeAddr}:2377";
        await call.Shell.Out.WriteLineAsync(
            $"To add a {role} to this swarm, run the following command:\n\n    orch swarm join --token {Token(swarm, role)} {self}\n");
    }

    private static string Token(Swarm swarm, string role) =>
        (role == "worker" ? swarm.JoinTokens?.Worker : swarm.JoinTokens?.Manager) ?? throw new CommandException("this swarm has no join tokens");
}
