using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Orchestrator.Manager.Raft.Core;
using Orchestrator.Shared.Rpc;

namespace Orchestrator.Manager.Raft.Transport;

/// <summary>
/// Peers over gRPC: one long stream to each. A link is made with the first message to a peer and taken down when the
/// peer is no member any more, or has moved. Certificates come in through the channels' options.
/// </summary>
/// <param name="reach">How a peer is reached now; null when that is not known: the message is dropped and counted. Asked from the node's loop.</param>
/// <param name="jitter">In [0, 1): spreads reconnects.</param>
internal sealed class RpcPeerNetwork(Func<PeerId, RpcChannelOptions?> reach, TimeProvider time, ILogger log, Func<double> jitter) : IPeerNetwork
{
    private readonly Lock guard = new();
    private readonly Dictionary<PeerId, PeerLink> links = [];
    private readonly ConcurrentDictionary<PeerLink, Task> leaving = [];
    private Action<PeerEvent>? receive;
    private long droppedBefore;
    private volatile bool disposed;

    /// <summary>Where this manager answers, <c>host:port</c>: it says so to those it speaks to. Empty: nothing is said.</summary>
    internal string Address { get; init; } = "";

    /// <summary>Told of who speaks, once for each stream: whoever leads has to be answered, also when nobody has told of it yet.</summary>
    internal Action<PeerId, RpcServerCall>? Heard { get; init; }

    /// <summary>Messages that found a peer's queue full, or nobody who knew the way.</summary>
    internal long Dropped
    {
        get
        {
            lock (guard)
                return droppedBefore + links.Values.Sum(l => l.Dropped);
        }
    }

    public void Attach(Action<PeerEvent> receive) => this.receive = receive;

    public void Send(Message message)
    {
        if (LinkTo(message.To) is { } link)
            link.Send(message);
    }

    public void Forget(PeerId peer) => TakeDown(peer, gently: true);

    /// <summary>The peer's address changed: what is queued for the old one is dropped, and the next message opens a link to the new one.</summary>
    internal void Moved(PeerId peer) => TakeDown(peer, gently: false);

    /// <summary>Answers the raft service on this node's server.</summary>
    internal void Map(RpcServer server) => Map(server, () => this);

    /// <summary>Answers by whichever network there is at the moment; none means this node is no manager.</summary>
    internal static void Map(RpcServer server, Func<RpcPeerNetwork?> current) => server
        .MapClientStreaming(RaftMethods.Messages, RpcAccess.Manager, async (messages, call) =>
        {
            var network = Require(current); // a stream belongs to the manager that took it, and ends with it
            var speaks = PeerId.None;
            await foreach (var message in messages.WithCancellation(call.Stop))
            {
                if (network.disposed)
                    throw new RpcException(RpcStatus.Unavailable, "this manager has stopped");
                if (message.From != speaks)
                    network.Heard?.Invoke(speaks = message.From, call);
                network.Receive(message);
            }

            return ReadOnlyMemory<byte>.Empty;
        });

    private static RpcPeerNetwork Require(Func<RpcPeerNetwork?> current) =>
        current() ?? throw new RpcException(RpcStatus.Unavailable, "this node is no manager");

    public async ValueTask DisposeAsync()
    {
        List<PeerId> peers;
        lock (guard)
        {
            disposed = true;
            peers = [.. links.Keys];
        }

        foreach (var peer in peers)
            TakeDown(peer, gently: false);
        foreach (var link in leaving.Keys)
            link.Hurry();
        await Task.WhenAll(leaving.Values);
    }

    private PeerLink? LinkTo(PeerId peer)
    {
        lock (guard)
        {
            if (links.TryGetValue(peer, out var link))
                return link;
            if (disposed || reach(peer) is not { } options)
            {
                droppedBefore++;
                return null;
            }

            link = new PeerLink(peer, options, Introduction(), time, log, jitter, e => receive?.Invoke(e));
            links[peer] = link;
            link.Start();
            return link;
        }
    }

    private RpcCallOptions Introduction() => Address.Length == 0
        ? RpcCallOptions.Default
        : new() { Metadata = RpcMetadata.Empty.With(RaftMethods.AddressHeader, Address) };

    private void TakeDown(PeerId peer, bool gently)
    {
        lock (guard)
        {
            if (!links.Remove(peer, out var link))
                return;
            droppedBefore += link.Dropped;
            if (!gently)
                link.Hurry();
            leaving[link] = LeaveAsync(link);
        }
    }

    private async Task LeaveAsync(PeerLink link)
    {
        await Task.Yield(); // it is listed before it can be struck off
        await link.DisposeAsync();
        leaving.TryRemove(link, out _);
    }

    private void Receive(Message message)
    {
        if (receive is not { } deliver)
            throw new RpcException(RpcStatus.Unavailable, "this manager is starting");
        deliver(new PeerEvent.Received(message));
    }
}
