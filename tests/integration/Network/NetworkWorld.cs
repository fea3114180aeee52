using System.Collections.Immutable;
using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;

using Microsoft.Extensions.Logging.Abstractions;

using Orchestrator.Worker.Network;
using Orchestrator.Worker.Network.Dns;
using Orchestrator.Worker.Network.Ports;
using Orchestrator.Worker.Shim;

namespace Orchestrator.Tests.Integration.Network;

/// <summary>A host and an outside, each a network namespace, joined by a wire; and one instance of the network room on the host.</summary>
internal sealed class NetworkWorld : IAsyncDisposable
{
    internal static readonly IPAddress HostAddress = IPAddress.Parse("198.51.100.1");
    internal static readonly IPAddress OutsideAddress = IPAddress.Parse("198.51.100.2");

    private readonly List<IAsyncDisposable> services = [];
    private readonly bool ownsNamespaces;

    private NetworkWorld(string id, string hostNs, string outsideNs, bool ownsNamespaces)
    {
        Id = id;
        HostNs = hostNs;
        OutsideNs = outsideNs;
        this.ownsNamespaces = ownsNamespaces;
        Root = Directory.CreateTempSubdirectory($"orch-net-{id}-").FullName;
        NewShim();
    }

    internal string Id { get; }

    internal string HostNs { get; }

    internal string OutsideNs { get; }

    internal string Root { get; }

    internal HostNetworks Networks { get; private set; } = null!;

    internal InProcessShim Shim { get; } = new();

    internal string ResolvConf => Path.Combine(Root, "resolv.conf");

    internal static async Task<NetworkWorld> CreateAsync(int bridgeCallsNetfilter = 0)
    {
        var id = NewId();
        var (host, outside) = ($"/run/netns/oh{id}", $"/run/netns/oo{id}");
        Run("ip", "netns", "add", $"oh{id}");
        Run("ip", "netns", "add", $"oo{id}");
        var world = new NetworkWorld(id, host, outside, ownsNamespaces: true);
        try
        {
            In(outside, "ip", "link", "set", "lo", "up");
            In(host, "ip", "link", "set", "lo", "up");
            In(host, "ip", "link", "add", "up0", "type", "veth", "peer", "name", "up0", "netns", $"oo{id}");
            In(host, "ip", "addr", "add", "198.51.100.1/24", "dev", "up0");
            In(outside, "ip", "addr", "add", "198.51.100.2/24", "dev", "up0");
            In(host, "ip", "link", "set", "up0", "up");
            In(outside, "ip", "link", "set", "up0", "up");
            In(host, "ip", "route", "add", "default", "via", "198.51.100.2");
            In(host, "sh", "-c", $"echo {bridgeCallsNetfilter} > /proc/sys/net/bridge/bridge-nf-call-iptables");
            await world.OpenAsync();
            return world;
        }
        catch
        {
            await world.DisposeAsync();
            throw;
        }
    }

    /// <summary>Another daemon on the same host.</summary>
    internal async Task<NetworkWorld> NeighbourAsync()
    {
        var neighbour = new NetworkWorld(NewId(), HostNs, OutsideNs, ownsNamespaces: false);
        await neighbour.OpenAsync();
        return neighbour;
    }

    /// <summary>The daemon goes without a word and another takes its place; the shim stays.</summary>
    internal async Task CrashAsync()
    {
        // Disposal closes handles, which is what the kernel does for a killed process; it takes nothing down.
        await Networks.DisposeAsync();
        await OpenAsync();
    }

    internal async Task NewShimAsync()
    {
        foreach (var service in services)
            await service.DisposeAsync();
        services.Clear();
        NewShim();
    }

    internal async Task<HostNetwork> NetworkAsync(string id, string subnet, string gateway, bool isInternal = false)
        => await Networks.EnsureNetworkAsync(
            new HostNetwork { Id = id, Name = id, Subnets = [new Subnet(IPNetwork.Parse(subnet), IPAddress.Parse(gateway))], Internal = isInternal }, default);

    internal Task<Sandbox> ContainerAsync(string id, string network, params ImmutableArray<PortRequest> hostPorts) => Networks.AttachAsync(
        new SandboxRequest { Id = id, Hostname = id, Endpoints = [new EndpointRequest { NetworkId = network, Aliases = [id] }], HostPorts = hostPorts }, default);

    /// <summary>Publishes the service port to the containers' first interfaces.</summary>
    internal Task<ServiceTableResult> PublishAsync(ulong version, int port, int target, params Sandbox[] backends)
        => Networks.ApplyServicesAsync(Table(version, port, target, PortProtocol.Tcp, backends), default);

    internal static ServiceTable Table(ulong version, int port, int target, PortProtocol protocol, params Sandbox[] backends) => new()
    {
        Version = version,
        Ports =
        [
            new PublishedPort
            {
                ServiceId = "svc", ServiceName = "web", Protocol = protocol, Port = port, TargetPort = target,
                Backends = [.. backends.Select(backend => new Backend(backend.Endpoints[0].Address))],
            },
        ],
    };

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (Networks is not null)
            {
                await Networks.RemoveAllAsync(default);
                await Networks.DisposeAsync();
            }

            foreach (var service in services)
                await service.DisposeAsync();
        }
        finally
        {
            if (ownsNamespaces)
            {
                Run("ip", "netns", "del", $"oh{Id}");
                Run("ip", "netns", "del", $"oo{Id}");
            }

            Directory.Delete(Root, recursive: true);
        }
    }

    internal static string In(string ns, params string[] command) => Run("nsenter", [$"--net={ns}", .. command]);

    internal static string Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? output
            : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)}: {error.Result} {output}");
    }

    private static string NewId() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(3));

    private async Task OpenAsync()
    {
        var options = new NetworkOptions
        {
            InstanceId = Id, ExecRoot = Path.Combine(Root, "run"), DataRoot = Path.Combine(Root, "data"), HostNetnsPath = HostNs,
        };
        Networks = await HostNetworks.OpenAsync(options, Shim, TimeProvider.System, NullLogger<HostNetworks>.Instance);
    }

    private void NewShim()
    {
        var names = new DnsShimService(HostNs, ResolvConf, TimeProvider.System, NullLogger<DnsShimService>.Instance);
        var ports = new PortShimService(HostNs, NullLogger<PortShimService>.Instance);
        services.AddRange([names, ports]);
        Shim.Services = new Dictionary<string, IShimService> { [names.Name] = names, [ports.Name] = ports };
    }
}

/// <summary>A shim without a process: calls go straight to the services.</summary>
internal sealed class InProcessShim : IShimCaller
{
    internal IReadOnlyDictionary<string, IShimService> Services { get; set; } = new Dictionary<string, IShimService>();

    public async Task<ReadOnlyMemory<byte>> CallAsync(string service, string operation, ReadOnlyMemory<byte> request, CancellationToken stop)
    {
        ReadOnlyMemory<byte> answer = default;
        try
        {
            await Services[service].HandleAsync(operation, request, reply =>
            {
                answer = reply.ToArray();
                return ValueTask.CompletedTask;
            }, stop);
        }
        catch (Exception error) when (error is not (ShimException or OperationCanceledException))
        {
            throw new ShimException(error.Message, error);
        }

        return answer;
    }

    public IAsyncEnumerable<ReadOnlyMemory<byte>> StreamAsync(string service, string operation, ReadOnlyMemory<byte> request, CancellationToken stop)
        => throw new NotSupportedException();

    public IAsyncEnumerable<ShimMessage> ExchangeAsync(string service, string operation, ShimMessage request, CancellationToken stop)
        => throw new NotSupportedException();
}
