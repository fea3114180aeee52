using System.CommandLine;
using Orchestrator.Cli.Client;
using Orchestrator.Cli.Commands.Progress;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Services;

/// <summary><c>orch service update</c></summary>
internal static class ServiceUpdate
{
    internal static Command Create(Shell shell)
    {
        var flags = new ServiceFlags(add: "-add");
        var removals = new RemovalFlags();
        var later = LaterFlags.ForUpdate();
        var payloads = PayloadFlags.ForUpdate();
        var image = Flags.Text("--image", "Service image tag");
        var args = Flags.Text("--args", "Service command args", "command");
        var force = Flags.Switch("--force", "Force update even if no changes require it");
        var rollback = Flags.Switch("--rollback", "Rollback to previous specification");
        var resolve = Flags.Switch("--no-resolve-image", "Do not query the registry to resolve image digest and supported platforms");
        var detach = Flags.Switch("--detach", "Exit immediately instead of waiting for the service to converge", "-d");
        var quiet = Flags.Quiet("Suppress progress output");
        var name = Flags.One("SERVICE");
        Option[] changes = [image, args, force, resolve, .. removals.All, .. flags.All, .. payloads.All];
        return new Command("update", "Update a service").Does(shell, [rollback, detach, quiet, .. changes, .. later.All, name], async (call, stop) =>
        {
            later.Refuse(call);
            if (call.Get(rollback))
            {
                return changes.Any(call.Has)
                    ? throw new CommandException("other flags may not be combined with --rollback")
                    : await ServiceRollback.RunAsync(call, call.Get(name), call.Get(detach), call.Get(quiet), stop);
            }

            var service = await call.ServiceAsync(call.Get(name), stop);
            var wait = new ServiceWait(call) { Quiet = call.Get(quiet) };
            await wait.NoteAsync(Flags.Filters(null, ("service", service.Id.Value)), stop);
            var spec = await removals.ApplyAsync(call, service.Spec, stop);
            var task = spec.TaskTemplate;
            var container = task.ContainerSpec ?? new ContainerSpec();
            spec = payloads.Apply(call, flags.Apply(call, spec with
            {
                TaskTemplate = task with
                {
                    ForceUpdate = task.ForceUpdate + (call.Get(force) ? 1UL : 0),
                    ContainerSpec = container with
                    {
                        Image = call.Get(image) ?? container.Image,
                        Args = call.Get(args) is { } text ? Words(text) : container.Args,
                    },
                },
            }, []));
            await SendAsync(call, service, spec, stop);
            await call.Shell.Out.WriteLineAsync(call.Get(name));
            return call.Get(detach) ? 0 : await call.AwaitServicesAsync(wait, [service.Id.Value], $"orch service ps {spec.Name}", stop);
        });
    }

    /// <summary>Replaces the spec of the version that was read; the daemon refuses when somebody was faster.</summary>
    internal static async Task SendAsync(Invocation call, Service service, ServiceSpec spec, CancellationToken stop)
    {
        var reply = await call.Client.SendAsync<ServiceSpec, ServiceUpdateReply>(
            HttpMethod.Post,
            EngineClient.Query($"/services/{service.Id.Value}/update", ("version", $"{service.Version.Index}")),
            spec,
            stop);
        foreach (var warning in reply.Warnings ?? [])
            await call.Shell.Error.WriteLineAsync(warning);
    }

    private static IReadOnlyList<string> Words(string text)
    {
        var words = Compose.Values.ShellWords.Split(text);
        return words.Error is null ? words.Value : throw new CommandException($"--args: {words.Error}");
    }
}
