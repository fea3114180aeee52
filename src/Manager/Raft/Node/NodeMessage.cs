using Orchestrator.Manager.Raft.Core;
using Orchestrator.Manager.Raft.Transport;

namespace Orchestrator.Manager.Raft.Node;

/// <summary>What the node loop reads from its inbox.</summary>
internal abstract record NodeMessage
{
    internal sealed record Tick : NodeMessage;

    internal sealed record FromNetwork(PeerEvent Event) : NodeMessage;

    internal sealed record Proposal(ReadOnlyMemory<byte> Entry, TaskCompletionSource<ulong> Done) : NodeMessage;

    internal sealed record Persisted(ulong Ticket) : NodeMessage;

    internal sealed record SnapshotStored(SnapshotMeta Meta, ulong Through) : NodeMessage;

    internal sealed record Transfer(PeerId To) : NodeMessage;

    /// <summary>Work beside the loop broke; the loop ends with its exception.</summary>
    internal sealed record Broke(Exception Failure) : NodeMessage;
}
