using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Manager.Raft.Transport;

/// <summary>Carries messages between voters. It may lose, repeat and reorder them; it never changes them.</summary>
internal interface IPeerNetwork : IAsyncDisposable
{
    /// <summary>Says who receives; called once, before the first message is sent. The receiver never blocks.</summary>
    void Attach(Action<PeerEvent> receive);

    /// <summary>Hands a message over and returns at once; what cannot be queued is dropped and counted.</summary>
    void Send(Message message);

    /// <summary>The peer is no member any more: when what is queued for it has left, its link goes. A later message makes a new one.</summary>
    void Forget(PeerId peer)
    {
    }
}

/// <summary>What the network tells the node.</summary>
internal abstract record PeerEvent
{
    internal sealed record Received(Message Message) : PeerEvent;

    /// <summary>Messages to this peer were lost: stop sending to it optimistically.</summary>
    internal sealed record Unreachable(PeerId Peer) : PeerEvent;

    /// <summary>The connection to this peer broke, and messages with it; perhaps it is dead.</summary>
    internal sealed record Broken(PeerId Peer) : PeerEvent;

    /// <summary>A piece of a snapshot to this peer left, or is lost.</summary>
    internal sealed record SnapshotSent(PeerId Peer, bool Arrived) : PeerEvent;
}
