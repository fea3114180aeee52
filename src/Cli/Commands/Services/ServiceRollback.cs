using System.CommandLine;
using Orchestrator.Cli.Client;
using Orchestrator.Cli.Commands.Progress;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Services;

/// <summary><c>orch service rollback</c>, and <c>service update --rollback</c>.</summary>
internal static class ServiceRollback
{
    internal static Command Create(Shell shell)
    {
        var detach = Flags.Switch("--detach", "Exit immediately instead of waiting for the service to converge", "-d");
        var quiet = Flags.Quiet("Suppress progress output");
        var name = Flags.One("SERVICE");
        return new Command("rollback", "Revert changes to a service's configuration").Does(shell, [detach, quiet, name], (call, stop) =>
            RunAsync(call, call.Get(name), call.Get(detach), call.Get(quiet), stop));
    }

    internal static async Task<int> RunAsync(Invocation call, string name, bool detach, bool quiet, CancellationToken stop)
    {
        var service = await call.ServiceAsync(name, stop);
        var wait = new ServiceWait(call) { Quiet = quiet, IsRollback = true };
        await wait.NoteAsync(Flags.Filters(null, ("service", service.Id.Value)), stop);
        var reply = await call.Client.SendAsync<ServiceSpec, ServiceUpdateReply>(
            HttpMethod.Post,
            EngineClient.Query($"/services/{service.Id.Value}/update", ("version", $"{service.Version.Index}"), ("rollback", "previous")),
            service.Spec,
            stop);
        foreach (var warning in reply.Warnings ?? [])
            await call.Shell.Error.WriteLineAsync(warning);
        await call.Shell.Out.WriteLineAsync(name);
        return detach ? 0 : await call.AwaitServicesAsync(wait, [service.Id.Value], $"orch service ps {service.Spec.Name}", stop);
    }
}
