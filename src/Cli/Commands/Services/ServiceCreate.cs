using System.CommandLine;
using Orchestrator.Cli.Commands.Progress;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Services;

/// <summary><c>orch service create</c></summary>
internal static class ServiceCreate
{
    internal static Command Create(Shell shell)
    {
        var flags = new ServiceFlags(add: "");
        var later = LaterFlags.ForCreate();
        var payloads = PayloadFlags.ForCreate();
        var name = Flags.Text("--name", "Service name");
        var mode = Flags.Text("--mode", "Service mode (replicated, global, replicated-job, global-job)");
        var envFile = Flags.List("--env-file", "Read in a file of environment variables", "list");
        var detach = Flags.Switch("--detach", "Exit immediately instead of waiting for the service to converge", "-d");
        var quiet = Flags.Quiet("Suppress progress output");
        var resolve = Flags.Switch("--no-resolve-image", "Do not query the registry to resolve image digest and supported platforms");
        var image = Flags.One("IMAGE");
        var words = new Argument<string[]>("COMMAND") { Arity = ArgumentArity.ZeroOrMore };
        return new Command("create", "Create a new service").Does(
            shell, [name, mode, envFile, detach, quiet, resolve, .. flags.All, .. payloads.All, .. later.All, image, words], async (call, stop) =>
        {
            later.Refuse(call);
            var spec = new ServiceSpec
            {
                Name = call.Get(name) ?? "",
                Mode = ServiceFlags.OneOf(call, mode, "replicated", "global", "replicated-job", "global-job") switch
                {
                    "global" => new ServiceMode { Global = new GlobalMode() },
                    "replicated-job" => new ServiceMode { ReplicatedJob = new ReplicatedJobMode() },
                    "global-job" => new ServiceMode { GlobalJob = new GlobalMode() },
                    _ => new ServiceMode { Replicated = new ReplicatedMode() },
                },
                TaskTemplate = new TaskSpec { ContainerSpec = new ContainerSpec { Image = call.Get(image), Args = call.Get(words) } },
            };
            spec = payloads.Apply(call, flags.Apply(call, spec, EnvFileFlag.Read(call, call.Get(envFile))));
            var reply = await call.Client.SendAsync<ServiceSpec, CreatedReply>(HttpMethod.Post, "/services/create", spec, stop);
            foreach (var warning in reply.Warnings ?? [])
                await call.Shell.Error.WriteLineAsync(warning);
            await call.Shell.Out.WriteLineAsync(reply.Id);
            await call.Shell.Out.FlushAsync(stop);
            if (call.Get(detach))
                return 0;
            return await call.AwaitServicesAsync(new ServiceWait(call) { Quiet = call.Get(quiet) }, [reply.Id], $"orch service ps {(spec.Name.Length > 0 ? spec.Name : reply.Id)}", stop);
        });
    }
}
