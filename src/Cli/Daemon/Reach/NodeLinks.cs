using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Hosting;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Rpc;
using Orchestrator.Shared.Security;

namespace Orchestrator.Cli.Daemon.Reach;

/// <summary>A node does not answer on its cluster port; the message is a sentence that names it.</summary>
internal sealed class NodeUnreachableException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Connections to the cluster ports of nodes, whatever their role, as the manager that this node is.</summary>
/// <param name="credentials">What this node proves itself by.</param>
/// <param name="time">The clock.</param>
internal sealed class NodeLinks(CredentialBox credentials, TimeProvider time)
{
    /// <summary>For the way there and the handshake.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>For both ends of a connection between nodes: ten seconds, whether something is to be sent or not.</summary>
    internal static readonly PeerSilence Silence = new(Idle: 4, Between: 2, Unanswered: 3) { AlsoWhileSending = true };

    /// <summary>A connection on which the Engine API is spoken.</summary>
    /// <exception cref="NodeUnreachableException">The node does not answer, or somebody else does.</exception>
    internal async Task<HalfCloseTlsStream> EngineAsync(ClusterState state, NodeId node, CancellationToken stop)
    {
        using var late = new CancellationTokenSource(Patience, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(late.Token, stop);
        try
        {
            return new((SslStream)await To(state, node, MutualTls.Http11)(both.Token));
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new NodeUnreachableException($"{Words(state, node)} does not answer within {Patience.TotalSeconds:0} seconds");
        }
        catch (Exception failure) when (failure is IOException or SocketException or AuthenticationException)
        {
            throw new NodeUnreachableException($"{Words(state, node)} can't be reached: {failure.GetBaseException().Message}", failure);
        }
    }

    /// <summary>How a channel reaches the node, at the address that holds now.</summary>
    internal RpcConnect To(ClusterState state, NodeId node, SslApplicationProtocol protocol)
    {
        var address = state.Nodes.TryGetValue(node, out var known) ? known.ClusterAddr ?? known.ManagerStatus?.Addr : null;
        RpcConnect tcp = address is not { Length: > 0 } ? _ => throw new IOException("it has told no address yet")
            : ClusterEndpoints.Parse(address) is not { } endpoint ? _ => throw new IOException($"its address {address} is none")
            : async stop => Watched(await RpcConnects.Tcp(endpoint)(stop));
        return MutualTls.Client(tcp, credentials, time, new(Role: null, node), protocol);
    }

    /// <summary><c>node host2 (ID) at 10.0.0.2:2377, which is down,</c></summary>
    internal static string Words(ClusterState state, NodeId node)
    {
        if (!state.Nodes.TryGetValue(node, out var known))
            return $"node {node}, which is no member any more,";
        var name = known.Description is { Hostname.Length: > 0 } said ? $"{said.Hostname} ({node})" : node.Value;
        return $"node {name}{(known.ClusterAddr is { } address ? $" at {address}" : "")}{(known.Status.State == NodeState.Down ? ", which is down," : "")}";
    }

    private static Stream Watched(Stream stream)
    {
        if (stream is NetworkStream { Socket: var socket })
            Silence.Limit(socket);
        return stream;
    }
}
