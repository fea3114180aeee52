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
        var later = LaterFlags.ForUpdate();
        var payloads = PayloadFlags.ForUpdate();
        var image = Flags.Text("--image", "Service image tag");
        var args = Flags.Text("--args", "Service command args", "command");
        var force = Flags.Switch("--force", "Force update even if no changes require it");
        var envRm = Flags.List("--env-rm", "Remove an environment variable", "list");
        var labelRm = Flags.List("--label-rm", "Remove a label by its key", "list");
        var containerLabelRm = Flags.List("--container-label-rm", "Remove a container label by its key", "list");
        var constraintRm = Flags.List("--constraint-rm", "Remove a constraint", "list");
        var publishRm = Flags.List("--publish-rm", "Remove a published port by its target port", "port");
        var mountRm = Flags.List("--mount-rm", "Remove a mount by its target path", "list");
        var detach = Flags.Switch("--detach", "Exit immediately instead of waiting for the service to converge", "-d");
        var quiet = Flags.Quiet("Suppress progress output");
        var name = Flags.One("SERVICE");
        return new Command("update", "Update a service").Does(
            shell,
            [image, args, force, envRm, labelRm, containerLabelRm, constraintRm, publishRm, mountRm, detach, quiet, .. flags.All, .. payloads.All, .. later.All, name],
            async (call, stop) =>
            {
                later.Refuse(call);
                var service = await call.ServiceAsync(call.Get(name), stop);
                var wait = new ServiceWait(call);
                await wait.NoteEndedAsync(Flags.Filters(null, ("service", service.Id.Value)), stop);
                var spec = service.Spec;
                var task = spec.TaskTemplate;
                var container = task.ContainerSpec ?? new ContainerSpec();
                spec = spec with
                {
                    Labels = Without(spec.Labels, call.Get(labelRm)),
                    EndpointSpec = call.Get(publishRm) is { Length: > 0 } ports && spec.EndpointSpec is { } endpoint
                        ? endpoint with { Ports = [.. endpoint.Ports.Where(p => !ports.Contains($"{p.TargetPort}") && !ports.Contains($"{p.TargetPort}/{p.Protocol}"))] }
                        : spec.EndpointSpec,
                    TaskTemplate = task with
                    {
                        ForceUpdate = task.ForceUpdate + (call.Get(force) ? 1UL : 0),
                        Placement = task.Placement is { } placement
                            ? placement with { Constraints = [.. placement.Constraints.Except(call.Get(constraintRm) ?? [])] }
                            : null,
                        ContainerSpec = container with
                        {
                            Image = call.Get(image) ?? container.Image,
                            Args = call.Get(args) is { } text ? Words(text) : container.Args,
                            Env = [.. container.Env.Where(v => !(call.Get(envRm) ?? []).Contains(v.Split('=')[0]))],
                            Labels = Without(container.Labels, call.Get(containerLabelRm)),
                            Mounts = [.. container.Mounts.Where(m => !(call.Get(mountRm) ?? []).Contains(m.Target))],
                        },
                    },
                };
                spec = payloads.Apply(call, flags.Apply(call, spec, []));
                await SendAsync(call, service, spec, stop);
                await call.Shell.Out.WriteLineAsync(call.Get(name));
                if (call.Get(detach) || call.Get(quiet))
                    return 0;
                return await call.AwaitServicesAsync(wait, [service.Id.Value], $"orch service ps {spec.Name}", stop);
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

    private static Dictionary<string, string> Without(IReadOnlyDictionary<string, string> labels, string[]? keys) =>
        labels.Where(l => !(keys ?? []).Contains(l.Key)).ToDictionary(StringComparer.Ordinal);
}
