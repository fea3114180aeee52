using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orchestrator.Manager.Raft.Core;
using Orchestrator.Shared.Rpc;

namespace Orchestrator.Manager.Raft.Transport;

/// <summary>Peers over gRPC: one long stream to each, a call for each snapshot. Certificates come in through the channels' options.</summary>
internal sealed class RpcPeerNetwork : IPeerNetwork
{
    private readonly ImmutableDictionary<PeerId, PeerLink> links;
    private Action<PeerEvent>? receive;

    /// <param name="peers">The others, and how each is reached; empty for a single voter.</param>
    /// <param name="jitter">In [0, 1): spreads reconnects.</param>
    internal RpcPeerNetwork(IReadOnlyDictionary<PeerId, RpcChannelOptions> peers, TimeProvider time, ILogger log, Func<double> jitter) =>
        links = peers.ToImmutableDictionary(p => p.Key, p => new PeerLink(p.Key, p.Value, time, log, jitter, e => receive?.Invoke(e)));

    /// <summary>Messages that found a peer's queue full.</summary>
    internal long Dropped => links.Values.Sum(l => l.Dropped);

    public void Attach(Action<PeerEvent> receive)
    {
        this.receive = receive;
        foreach (var link in links.Values)
            link.Start();
    }

    public void Send(Message message)
    {
        if (links.TryGetValue(message.To, out var link))
            link.Send(message);
    }

    /// <summary>Answers the raft service on this node's server.</summary>
    internal void Map(RpcServer server) => server
        .MapClientStreaming(RaftMethods.Messages, RpcAccess.Manager, async (messages, call) =>
        {
            await foreach (var message in messages.WithCancellation(call.Stop))
                Receive(message);
            return ReadOnlyMemory<byte>.Empty;
        })
        .MapUnary(RaftMethods.Snapshot, RpcAccess.Manager, (message, _) =>
        {
            Receive(message);
            return Task.FromResult(ReadOnlyMemory<byte>.Empty);
        });

    public async ValueTask DisposeAsync()
    {
        foreach (var link in links.Values)
            await link.DisposeAsync();
    }

    private void Receive(Message message)
    {
        if (receive is not { } deliver)
            throw new RpcException(RpcStatus.Unavailable, "this manager is starting");
        deliver(new PeerEvent.Received(message));
    }
}
