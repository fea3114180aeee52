using System.Net;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Containers.Health;
using Orchestrator.Worker.Containers.Plan;
using Orchestrator.Worker.Images;
using Orchestrator.Worker.Network;
using Orchestrator.Worker.Runtime;

namespace Orchestrator.Worker.Containers;

/// <summary>How it starts: layers and network at the same time, then the runtime.</summary>
internal sealed partial class ContainerLife
{
    private async Task StartOnceAsync(int restarts)
    {
        await detaching; // the sandbox of the last run bears the same id
        Sandbox? sandbox = null;
        MountedVolumes? mounted = null;
        try
        {
            var layersReady = services.Images.AcquireLayersAsync(container.ImageId, Id, CancellationToken.None).AsTask();
            var attached = AttachAsync();
            await Task.WhenAll(layersReady, attached).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (attached.IsCompletedSuccessfully)
                sandbox = await attached;
            var layers = await layersReady;
            await attached;
            logEnded = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            mounted = await volumes.MountAsync(container, layers.LowerDirs);
            var started = await StartWithFilesAsync(Request(layers, sandbox, mounted));
            untilStarted.Clear();
            Set(state with
            {
                Status = ContainerStatus.Running,
                Paused = false,
                Pid = started.Pid,
                ExitCode = 0,
                Error = "",
                OomKilled = false,
                ExitUnknown = false,
                StoppedByUser = false,
                StartedAt = started.StartedAt,
                RestartCount = restarts,
                Health = check is null ? null : HealthPlan.Begin(state.Health),
                Endpoints = await EndpointsAsync(sandbox),
                Ports = [.. (sandbox?.Ports ?? []).Select(p => new StoredPort(p.Protocol == PortProtocol.Udp ? "udp" : "tcp", p.HostIp?.ToString(), p.HostPort, p.ContainerPort))],
            });
        }
        catch (Exception e) when (e is RuntimeException or NetworkException or ImageException or IOException or UnauthorizedAccessException or InvalidContainerException or ContainerConflictException)
        {
            if (sandbox is not null)
                await UndoAttachAsync();
            ReleaseShm();
            if (mounted is not null)
                await volumes.UnmountAsync(container);
            logEnded.TrySetResult();
            await UnseatAsync();
            var code = e is RuntimeException runtime ? runtime.ExitCode : 128;
            Set(state with
            {
                Status = state.Status == ContainerStatus.Created ? ContainerStatus.Created : ContainerStatus.Exited,
                ExitCode = code,
                Error = e.Message,
                Pid = 0,
                Endpoints = [],
                Ports = [],
                FinishedAt = state.Status == ContainerStatus.Created ? state.FinishedAt : services.Time.GetUtcNow(),
            });
            throw new ContainerStartException(e.Message, code, e);
        }
        finally
        {
            mounted?.Unpin();
        }

        services.Log.ContainerStarted(container.Name, Id, state.Pid);
        Publish("start");
        ScheduleProbe();
    }

    private async Task<Sandbox?> AttachAsync()
    {
        var problems = new List<Problem>();
        var known = await services.Networks.ListNetworksAsync(CancellationToken.None);
        var plan = EndpointPlan.Of(PublishPlan.Of(container.Config, container.HostConfig), container.Networking, container.Name, Id[..12], known, problems);
        if (problems.Count > 0)
            throw new InvalidContainerException(problems);
        if (plan.HostNetwork || plan.Joins is not null)
            return null;
        var host = container.HostConfig;
        return await services.Networks.AttachAsync(
            new SandboxRequest
            {
                Id = Id,
                Hostname = SpecPlan.Hostname(Id, container.Config, host, services.Facts),
                OwnerPath = UserPath(),
                Endpoints = plan.Endpoints,
                HostPorts = plan.Ports,
                DnsServers = [.. host.Dns],
                DnsSearch = [.. host.DnsSearch],
                DnsOptions = [.. host.DnsOptions],
            },
            CancellationToken.None);
    }

    private LaunchRequest Request(LayerStack layers, Sandbox? sandbox, MountedVolumes mounted)
    {
        var host = container.HostConfig;
        BindSources.Check(host);
        WriteFiles(sandbox);
        var joined = Join();
        var user = ContainerUser.Find([directory.Upper, .. layers.LowerDirs], container.Config.User ?? "", host.GroupAdd);
        var spec = SpecPlan.Of(
            Id, container.Config, host,
            new StartFacts
            {
                NetnsPath = sandbox?.NetnsPath ?? joined.NetnsPath,
                User = user.Ids,
                Home = user.Home,
                FilesDirectory = joined.FilesDirectory ?? directory.Root,
                UserPath = UserPath(),
                Remap = container.Remap,
                PidPath = joined.PidPath,
                IpcPath = joined.IpcPath,
                ShmDirectory = joined.ShmDirectory,
                Devices = HostDevices.Of(host),
                Blocks = BlockDevices.Find(host),
                Volumes = mounted.Mounts,
            },
            services.Facts);
        return new LaunchRequest
        {
            Id = Id,
            Spec = spec,
            Root = new OverlayRoot { LowerLayers = layers.LowerDirs is [] ? [directory.MakeEmpty()] : layers.LowerDirs, Upper = directory.Upper, Work = directory.Work, Merged = directory.Merged },
            Log = LogPlan.Of(directory, container),
            Init = host.Init ?? false,
            OpenStdin = container.Config.OpenStdin,
            StdinOnce = container.Config.StdinOnce,
            Console = ConsoleSizes.Of(host.ConsoleSize),
            SeccompUnconfined = spec.Linux.Seccomp is null,
        };
    }

    private void WriteFiles(Sandbox? sandbox)
    {
        var host = container.HostConfig;
        var hostname = SpecPlan.Hostname(Id, container.Config, host, services.Facts);
        IPAddress[] addresses = sandbox is null ? [] : [.. sandbox.Endpoints.Select(e => e.Address)];
        var gateway = sandbox is { Endpoints: [var first, ..] } ? first.Gateway : null;
        File.WriteAllText(directory.File("hosts"), HostsFile.Of(hostname, container.Config.Domainname, addresses, gateway, host.ExtraHosts));
        File.WriteAllText(directory.File("hostname"), hostname + "\n");
        File.WriteAllText(directory.File("resolv.conf"), sandbox?.ResolvConf ?? ReadHostResolver());
    }

    private static string ReadHostResolver() => File.Exists("/etc/resolv.conf") ? File.ReadAllText("/etc/resolv.conf") : "";

    private async Task<IReadOnlyList<StoredEndpoint>> EndpointsAsync(Sandbox? sandbox)
    {
        if (sandbox is null)
            return [];
        var names = (await services.Networks.ListNetworksAsync(CancellationToken.None)).ToDictionary(n => n.Id, n => n.Name, StringComparer.Ordinal);
        return
        [
            .. sandbox.Endpoints.Select(e => new StoredEndpoint(
                e.NetworkId, names.GetValueOrDefault(e.NetworkId, e.NetworkId), e.Address.ToString(), e.PrefixLength, e.Gateway.ToString(),
                string.Join(':', e.Mac.GetAddressBytes().Select(b => b.ToString("x2", System.Globalization.CultureInfo.InvariantCulture))))),
        ];
    }

    private async Task UndoAttachAsync()
    {
        try
        {
            await services.Networks.DetachAsync(Id, CancellationToken.None);
        }
        catch (NetworkException e)
        {
            services.Log.ContainerWorkFailed(e, Id, "undoing the network");
        }
    }
}
