using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.AspNetCore.Http;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Containers;

namespace Orchestrator.Worker.Api;

/// <summary><c>/_ping</c>, <c>/version</c>, <c>/info</c> and their neighbours: what this host is.</summary>
internal sealed class SystemApi(EngineParts parts)
{
    private static readonly ContainerQuery EveryContainer = new() { All = true };

    internal void Map(ApiRouter router)
    {
        router.Map("GET", "/_ping", PingAsync);
        router.Map("HEAD", "/_ping", PingAsync);
        router.Map("GET", "/version", r => r.ReplyAsync(Version()));
        router.Map("GET", "/info", async r => await r.ReplyAsync(await InfoAsync(r.Stop)));
        router.Map("GET", "/plugins", r => r.ReplyAsync<IReadOnlyList<string>>([]));
        router.Map("POST", "/auth", _ => throw new ApiException(501, "logging in to a registry is not there yet: load, import or build images on this host"));
    }

    private async Task PingAsync(ApiRequest request)
    {
        var headers = request.Http.Response.Headers;
        headers["Builder-Version"] = "1"; // the classic builder: POST /build with a tar
        headers.CacheControl = "no-cache, no-store, must-revalidate";
        headers.Pragma = "no-cache";
        headers["Swarm"] = parts.Swarm() switch
        {
            { LocalNodeState: "active", ControlAvailable: true } => "active/manager",
            { LocalNodeState: "active" } => "active/worker",
            var other => other.LocalNodeState,
        };
        request.Http.Response.ContentType = "text/plain; charset=utf-8";
        request.Http.Response.ContentLength = 2;
        if (!HttpMethods.IsHead(request.Http.Request.Method))
            await request.Http.Response.Body.WriteAsync("OK"u8.ToArray(), request.Stop);
    }

    private VersionReply Version()
    {
        var facts = HostFacts.Read();
        var runtime = RuntimeInformation.FrameworkDescription;
        var details = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["ApiVersion"] = ApiVersion.Newest.ToString(),
            ["MinAPIVersion"] = ApiVersion.Oldest.ToString(),
            ["Arch"] = GoArchitecture,
            ["Os"] = "linux",
            ["KernelVersion"] = facts.KernelVersion,
            ["GoVersion"] = runtime,
            ["Experimental"] = "false",
        };
        return new VersionReply
        {
            Components = [new VersionComponent { Name = "Engine", Version = parts.Version, Details = details }],
            Version = parts.Version,
            ApiVersion = ApiVersion.Newest.ToString(),
            MinApiVersion = ApiVersion.Oldest.ToString(),
            GoVersion = runtime,
            Os = "linux",
            Arch = GoArchitecture,
            KernelVersion = facts.KernelVersion,
        };
    }

    private static string GoArchitecture => RuntimeInformation.OSArchitecture switch
    {
        Architecture.X64 => "amd64",
        var other => other.ToString().ToLowerInvariant(),
    };

    private async Task<InfoReply> InfoAsync(CancellationToken stop)
    {
        var facts = HostFacts.Read();
        var containers = parts.Containers.List(EveryContainer);
        var swarm = parts.Swarm();
        var limits = parts.Containers.Limits;
        return new InfoReply
        {
            Id = InstanceId.Of(parts.DataRoot),
            Containers = containers.Count,
            ContainersRunning = containers.Count(c => c.State == "running"),
            ContainersPaused = containers.Count(c => c.State == "paused"),
            ContainersStopped = containers.Count(c => c.State is not ("running" or "paused")),
            Images = (await parts.Images.ListAsync(stop)).Length,
            DriverStatus = [["Backing Filesystem", new DriveInfo(parts.DataRoot).DriveFormat]],
            DockerRootDir = parts.DataRoot,
            Plugins = new InfoPlugins { Volume = ["local"], Network = ["bridge", "host", "none", "overlay"], Log = ["json-file", "local", "none"] },
            LoggingDriver = parts.LogDriver,
            MemoryLimit = limits.Memory,
            SwapLimit = limits.Swap,
            CpuCfsPeriod = limits.Cpu,
            CpuCfsQuota = limits.Cpu,
            CpuShares = limits.Cpu,
            CpuSet = limits.CpuSet,
            PidsLimit = limits.Pids,
            OomKillDisable = limits.OomKillDisable,
            Ipv4Forwarding = facts.Ipv4Forwarding,
            Debug = parts.Debug,
            SystemTime = parts.Time.GetUtcNow().ToString("O", CultureInfo.InvariantCulture),
            CgroupVersion = limits.Version.ToString(CultureInfo.InvariantCulture),
            KernelVersion = facts.KernelVersion,
            OperatingSystem = facts.OperatingSystem,
            OsVersion = facts.OsVersion,
            Architecture = facts.Architecture,
            Ncpu = Environment.ProcessorCount,
            MemTotal = facts.Memory,
            Name = facts.Hostname,
            Labels = parts.Labels,
            ServerVersion = parts.Version,
            Runtimes = new Dictionary<string, InfoRuntime>(StringComparer.Ordinal) { ["orch"] = new() { Path = Environment.ProcessPath ?? "orch" } },
            Swarm = swarm,
            SecurityOptions = parts.Remapped ? ["name=seccomp,profile=builtin", "name=userns"] : ["name=seccomp,profile=builtin"],
            Warnings =
            [
                .. limits.Warnings(),
                .. facts.Ipv4Forwarding ? Array.Empty<string>() : ["WARNING: IPv4 forwarding is disabled"],
            ],
        };
    }
}
