using System.CommandLine;
using Orchestrator.Cli.Client;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Swarms;

/// <summary><c>orch swarm update</c></summary>
internal static class UpdateCommand
{
    internal static Command Create(Shell shell)
    {
        var locked = new Option<bool?>("--autolock") { Description = "Change manager autolocking setting (true|false)", Arity = ArgumentArity.ZeroOrOne };
        var expiry = Flags.Text("--cert-expiry", "Validity period for node certificates (ns|us|ms|s|m|h)", "duration");
        var heartbeat = Flags.Text("--dispatcher-heartbeat", "Dispatcher heartbeat period (ns|us|ms|s|m|h)", "duration");
        var history = Flags.Text("--task-history-limit", "Task history retention limit", "int");
        return new Command("update", "Update the cluster").Does(shell, [locked, expiry, heartbeat, history], async (call, stop) =>
        {
            var swarm = await call.Client.GetAsync<Swarm>("/swarm", stop);
            var before = swarm.Spec.EncryptionConfig.AutoLockManagers;
            var spec = swarm.Spec;
            if (call.Has(locked))
                spec = spec with { EncryptionConfig = new() { AutoLockManagers = call.Get(locked) ?? true } };
            if (Services.ServiceFlags.Parse(call, expiry, Compose.Values.Durations.Parse) is { } validity)
                spec = spec with { CaConfig = spec.CaConfig with { NodeCertExpiry = validity } };
            if (Services.ServiceFlags.Parse(call, heartbeat, Compose.Values.Durations.Parse) is { } period)
                spec = spec with { Dispatcher = spec.Dispatcher with { HeartbeatPeriod = period } };
            if (Services.ServiceFlags.Count(call, history) is { } limit)
                spec = spec with { Orchestration = spec.Orchestration with { TaskHistoryRetentionLimit = (long)limit } };
            await call.Client.SendAsync(HttpMethod.Post, EngineClient.Query("/swarm/update", ("version", $"{swarm.Version.Index}")), spec, stop);
            await call.Shell.Out.WriteLineAsync("Swarm updated.");
            if (!before && spec.EncryptionConfig.AutoLockManagers)
                await UnlockCommands.ExplainAsync(call, stop);
            return 0;
        });
    }
}
