using Orchestrator.Manager.Raft.Core;
using Orchestrator.Manager.Raft.Transport;

namespace Orchestrator.Manager.Raft.Node;

/// <summary>What the node loop reads from its inbox.</summary>
internal abstract record NodeMessage
{
    internal sealed record Tick : NodeMessage;

    internal sealed record FromNetwork(PeerEvent Event) : NodeMessage;

    internal sealed record Persisted(ulong Ticket) : NodeMessage;

    internal sealed record SnapshotStored(SnapshotMeta Meta, ulong Through, long Bytes) : NodeMessage;

    /// <summary>The machine has taken in the leader's snapshot.</summary>
    internal sealed record Restored(SnapshotMeta Meta) : NodeMessage;

    /// <summary>Work beside the loop broke; the loop ends with its exception.</summary>
    internal sealed record Broke(Exception Failure) : NodeMessage;

    /// <summary>Somebody waits for the answer.</summary>
    internal abstract record Request(TaskCompletionSource<ulong> Done) : NodeMessage;

    /// <summary>Answered by the entry's index.</summary>
    internal sealed record Proposal(ReadOnlyMemory<byte> Entry, TaskCompletionSource<ulong> Done) : Request(Done);

    /// <summary>Answered by the index that was applied first.</summary>
    internal sealed record Read(TaskCompletionSource<ulong> Done) : Request(Done);

    internal sealed record Add(PeerId Peer, TaskCompletionSource<ulong> Done) : Request(Done);

    internal sealed record Remove(PeerId Peer, TaskCompletionSource<ulong> Done) : Request(Done);

    internal sealed record Transfer(PeerId To, TaskCompletionSource<ulong> Done) : Request(Done);
}
