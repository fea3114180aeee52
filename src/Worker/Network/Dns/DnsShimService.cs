using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

using Microsoft.Extensions.Logging;

using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Network.Bridge;
using Orchestrator.Worker.Network.Ports;
using Orchestrator.Worker.Network.State;
using Orchestrator.Worker.Shim;

namespace Orchestrator.Worker.Network.Dns;

/// <summary>The containers' resolvers, in the shim: names go on being answered while the daemon is away.</summary>
internal sealed class DnsShimService : IShimService, IAsyncDisposable
{
    private const int LowestPort = 32768;
    private const int HighestPort = 60999;
    private const int PortAttempts = 16;
    private static readonly IPAddress Resolver = new([127, 0, 0, 11]);

    private readonly SemaphoreSlim turn = new(1, 1);
    private readonly NamespaceThread thread = new("orch names");
    private readonly Dictionary<string, SandboxResolver> resolvers = new(StringComparer.Ordinal);
    private readonly HostSockets host;
    private readonly Forwarder forwarder;
    private readonly ResolvConf resolvConf;
    private readonly TimeProvider time;
    private readonly ILogger<DnsShimService> log;
    private volatile NameIndex index = new(DnsTable.Empty);

    internal DnsShimService(string? hostNetnsPath, string resolvConfPath, TimeProvider time, ILogger<DnsShimService> log)
    {
        host = new HostSockets(hostNetnsPath);
        forwarder = new Forwarder(host, time);
        resolvConf = new ResolvConf(resolvConfPath);
        this.time = time;
        this.log = log;
    }

    public string Name => DnsShimClient.Service;

    public async Task HandleAsync(string operation, ReadOnlyMemory<byte> request, Func<ReadOnlyMemory<byte>, ValueTask> reply, CancellationToken stop)
    {
        await turn.WaitAsync(stop);
        try
        {
            switch (operation)
            {
                case "listen":
                    var port = await ListenAsync(Read(request, NetworkJson.Default.DnsListen));
                    await reply(JsonSerializer.SerializeToUtf8Bytes(new DnsListening(port), NetworkJson.Default.DnsListening));
                    break;
                case "table":
                    index = new NameIndex(Read(request, NetworkJson.Default.DnsTable));
                    break;
                case "forget":
                    await ForgetAsync(Read(request, NetworkJson.Default.DnsForget).SandboxId);
                    break;
                case "sync":
                    await SyncAsync(Read(request, NetworkJson.Default.DnsSync));
                    break;
                default:
                    throw new ShimException($"names: unknown operation '{operation}'");
            }
        }
        finally
        {
            turn.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var id in resolvers.Keys.ToList())
            await ForgetAsync(id);
        thread.Dispose();
        host.Dispose();
        turn.Dispose();
    }

    private async Task<int> ListenAsync(DnsListen listen)
    {
        await ForgetAsync(listen.SandboxId);
        var (port, datagrams, streams) = await thread.RunAsync(() => Bind(listen));
        resolvers.Add(listen.SandboxId, new SandboxResolver(listen, port, datagrams, streams, () => index, resolvConf, forwarder, time, log));
        return port;
    }

    private async Task ForgetAsync(string sandboxId)
    {
        if (resolvers.Remove(sandboxId, out var resolver))
            await resolver.DisposeAsync();
    }

    private async Task SyncAsync(DnsSync sync)
    {
        index = new NameIndex(sync.Table);
        var wanted = sync.Listeners.Select(listen => listen.SandboxId).ToHashSet(StringComparer.Ordinal);
        foreach (var id in resolvers.Keys.Where(id => !wanted.Contains(id)).ToList())
            await ForgetAsync(id);
        foreach (var listen in sync.Listeners)
        {
            try
            {
                if (!resolvers.ContainsKey(listen.SandboxId))
                    await ListenAsync(listen);
            }
            catch (LinuxException error)
            {
                // Its namespace has gone meanwhile: the others still want their names.
                log.ResolverStopped(listen.SandboxId, error.Message);
            }
        }
    }

    /// <summary>On the thread inside the container: both sockets on one port. If a process took the port since, another one and the redirect to it.</summary>
    private static (int Port, Socket Datagrams, Socket Streams) Bind(DnsListen listen)
    {
        // Back afterwards: a thread inside would keep the last container's namespace and links alive.
        using var home = Namespaces.OpenCurrent();
        using var ns = Namespaces.Open(listen.NetnsPath);
        Namespaces.EnterNetwork(ns);
        try
        {
            return BindHere(listen);
        }
        finally
        {
            Namespaces.EnterNetwork(home);
        }
    }

    private static (int Port, Socket Datagrams, Socket Streams) BindHere(DnsListen listen)
    {
        var port = listen.Port;
        for (var attempt = 1; ; attempt++)
        {
            var datagrams = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            var streams = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            try
            {
                datagrams.Bind(new IPEndPoint(Resolver, port));
                streams.Bind(new IPEndPoint(Resolver, port));
                streams.Listen();
                if (port != listen.Port)
                    SandboxNamespace.Redirect(port);
                return (port, datagrams, streams);
            }
            catch (Exception error)
            {
                datagrams.Dispose();
                streams.Dispose();
                if (error is not SocketException { SocketErrorCode: SocketError.AddressAlreadyInUse } || attempt == PortAttempts)
                    throw;
                port = RandomNumberGenerator.GetInt32(LowestPort, HighestPort + 1);
            }
        }
    }

    private static T Read<T>(ReadOnlyMemory<byte> request, JsonTypeInfo<T> type)
        => JsonSerializer.Deserialize(request.Span, type) ?? throw new ShimException("names: empty request");
}
