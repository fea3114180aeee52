using System.Text;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Worker.Containers.Logs;
using Orchestrator.Worker.Containers.Plan;
using Orchestrator.Worker.Images.Build;
using Orchestrator.Worker.Network;
using Orchestrator.Worker.Runtime;

namespace Orchestrator.Worker.Containers;

/// <summary>A RUN step as a short-lived container: the default network, no limits, its upper directory becomes the layer.</summary>
internal sealed class BuildStepRunner(ContainerServices services, string scratch) : IBuildRunner
{
    public async Task<int> RunAsync(BuildStep step, BuildOutput output, CancellationToken stop)
    {
        var directory = Path.Combine(scratch, step.Id);
        var log = Path.Combine(directory, "output.log");
        Directory.CreateDirectory(directory);
        await File.WriteAllTextAsync(log, "", stop);
        try
        {
            var host = new HostConfig { ExtraHosts = step.ExtraHosts };
            var networks = await services.Networks.ListNetworksAsync(stop);
            var plan = EndpointPlan.Of(host, null, step.Id, step.Id, networks, []);
            var sandbox = await services.Networks.AttachAsync(
                new SandboxRequest { Id = step.Id, Hostname = Hostname(step), Endpoints = plan.Endpoints }, stop);
            var request = await RequestAsync(step, host, sandbox, directory, log, stop);
            await services.Runtime.StartAsync(request, stop);
            var code = await FollowAsync(step.Id, log, output, stop);
            await services.Runtime.DeleteAsync(step.Id, CancellationToken.None); // before its files are looked at
            MountPlaces.Remove(step.UpperDir, step.LowerDirs, request.Spec.Mounts.Select(m => m.Destination));
            return code;
        }
        finally
        {
            // Also when the build was cancelled: the step's processes go with it.
            await services.Runtime.DeleteAsync(step.Id, CancellationToken.None);
            await services.Networks.DetachAsync(step.Id, CancellationToken.None);
            Directory.Delete(directory, recursive: true);
        }
    }

    private async Task<LaunchRequest> RequestAsync(
        BuildStep step, HostConfig host, Sandbox sandbox, string directory, string log, CancellationToken stop)
    {
        var config = new ContainerConfig { Hostname = Hostname(step), Cmd = step.Argv, Env = step.Env, WorkingDir = step.Cwd, User = step.User };
        var addresses = sandbox.Endpoints.Select(e => e.Address).ToList();
        await File.WriteAllTextAsync(
            Path.Combine(directory, "hosts"),
            HostsFile.Of(Hostname(step), null, addresses, sandbox.Endpoints.FirstOrDefault()?.Gateway, host.ExtraHosts), stop);
        await File.WriteAllTextAsync(Path.Combine(directory, "hostname"), Hostname(step) + "\n", stop);
        await File.WriteAllTextAsync(Path.Combine(directory, "resolv.conf"), sandbox.ResolvConf, stop);
        var user = ContainerUser.Find(step.LowerDirs, step.User, []);
        return new LaunchRequest
        {
            Id = step.Id,
            Spec = SpecPlan.Of(
                step.Id, config, host,
                new StartFacts { NetnsPath = sandbox.NetnsPath, User = user.Ids, Home = user.Home, FilesDirectory = directory }, services.Facts),
            Root = new OverlayRoot
            {
                LowerLayers = step.LowerDirs is [] ? [Directory.CreateDirectory(Path.Combine(directory, "empty")).FullName] : step.LowerDirs,
                Upper = step.UpperDir,
                Work = step.WorkDir,
                Merged = Directory.CreateDirectory(Path.Combine(directory, "merged")).FullName,
            },
            Log = new LogTarget { Path = log },
        };
    }

    private async Task<int> FollowAsync(string id, string log, BuildOutput output, CancellationToken stop)
    {
        using var watch = new LogWatch();
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var exit = ExitAsync(id, ends.Token);
        await foreach (var record in LogReader.ReadAsync(log, new LogQuery { Follow = true }, watch, exit, stop))
            output(record.Stream == "stderr" ? BuildStream.Stderr : BuildStream.Stdout, record.Line.Span);
        var ended = await exit;
        if (ended.OomKilled)
            output(BuildStream.Stderr, Encoding.UTF8.GetBytes("the step was killed: out of memory\n"));
        return ended.ExitCode;
    }

    private async Task<ContainerExit> ExitAsync(string id, CancellationToken stop)
    {
        await foreach (var exit in services.Runtime.WatchExitsAsync(stop))
        {
            if (exit.Id == id)
                return exit;
        }

        throw new RuntimeException($"the build step {id} was lost: the shim went away");
    }

    private static string Hostname(BuildStep step) => step.Id.Length > 12 ? step.Id[..12] : step.Id;
}
