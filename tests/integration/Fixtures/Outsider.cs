using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Orchestrator.Shared.Rpc;
using Orchestrator.Shared.Security;
using Orchestrator.Worker.Lab;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Tests.Integration.Fixtures;

/// <summary>This process in a lab's network, at the switch: it reaches every host, and is none of them.</summary>
internal sealed class Outsider : IAsyncDisposable
{
    private readonly NamespaceThread _thread = new("outsider");
    private readonly CancellationTokenSource _over = new();
    private readonly List<Task> _relays = [];

    private Outsider(IPAddress address) => Address = address;

    /// <summary>Where hosts reach it.</summary>
    internal IPAddress Address { get; }

    internal static async Task<Outsider> EnterAsync(LabCluster lab)
    {
        var outsider = new Outsider(lab.State.Gateway);
        using var ns = LabHost.OpenNetwork(lab.State.Switch?.Process ?? throw new InvalidOperationException("the lab has no switch"));
        await outsider._thread.RunAsync(() => Namespaces.EnterNetwork(ns));
        return outsider;
    }

    /// <summary>A host's cluster port. A socket belongs to the namespace of the thread that made it, whoever uses it.</summary>
    internal RpcConnect To(string address, int port = 2377) => async stop =>
    {
        var socket = await _thread.RunAsync(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true });
        try
        {
            await socket.ConnectAsync(IPAddress.Parse(address), port, stop);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    };

    /// <summary>Presents a certificate and does not care who answers.</summary>
    internal static RpcConnect Careless(RpcConnect transport, NodeCredentials own) => async stop =>
    {
        var options = MutualTls.Client(own, TimeProvider.System, PeerExpectation.AnyNode, MutualTls.Http2);
        options.RemoteCertificateValidationCallback = static (_, certificate, _, _) => certificate is not null;
        var tls = new SslStream(await transport(stop));
        await tls.AuthenticateAsClientAsync(options, stop);
        return tls;
    };

    /// <summary>Listens in the lab's network for somebody on this machine's loopback.</summary>
    internal async Task ListenAsync(int port, IPEndPoint behind)
    {
        var listener = await _thread.RunAsync(() =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(Address, port));
            socket.Listen();
            return socket;
        });
        _relays.Add(RelayAsync(listener, behind));
    }

    public async ValueTask DisposeAsync()
    {
        await _over.CancelAsync();
        await Task.WhenAll(_relays);
        _thread.Dispose();
        _over.Dispose();
    }

    private async Task RelayAsync(Socket listener, IPEndPoint behind)
    {
        var carried = new List<Task>();
        using (listener)
        {
            try
            {
                while (true)
                    carried.Add(CarryAsync(await listener.AcceptAsync(_over.Token), behind));
            }
            catch (OperationCanceledException)
            {
                // The test is over.
            }
        }

        await Task.WhenAll(carried);
    }

    private async Task CarryAsync(Socket caller, IPEndPoint behind)
    {
        using var near = new NetworkStream(caller, ownsSocket: true);
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(behind, _over.Token);
            var far = client.GetStream();
            await await Task.WhenAny(near.CopyToAsync(far, _over.Token), far.CopyToAsync(near, _over.Token));
        }
        catch (Exception ended) when (ended is IOException or SocketException or OperationCanceledException)
        {
            // Either end has gone.
        }
    }
}
