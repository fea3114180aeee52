using System.Collections.Immutable;
using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Manager.Raft;

/// <summary>Who is a member, as this node's log says.</summary>
/// <param name="Voters">Who votes; while voters change, the old and the new.</param>
/// <param name="Learners">Who receives the log and does not vote yet.</param>
/// <param name="Silent">Of them, those that the leader has not heard from for an election timeout; the leader tells everybody with its heartbeats.</param>
internal sealed record MembershipView(ImmutableArray<PeerId> Voters, ImmutableArray<PeerId> Learners, ImmutableArray<PeerId> Silent)
{
    internal static readonly MembershipView None = new([], [], []);

    internal bool IsMember(PeerId peer) => Voters.Contains(peer) || Learners.Contains(peer);

    /// <summary>A member that the leader hears from. Without a known leader: as the last one said.</summary>
    internal bool IsReachable(PeerId peer) => IsMember(peer) && !Silent.Contains(peer);

    public bool Equals(MembershipView? other) =>
        other is not null && Voters.SequenceEqual(other.Voters) && Learners.SequenceEqual(other.Learners) && Silent.SequenceEqual(other.Silent);

    public override int GetHashCode() => HashCode.Combine(Voters.Length, Learners.Length, Silent.Length);
}
