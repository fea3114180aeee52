using System.Collections.Immutable;
using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Manager.Raft.Node;

/// <summary>The next change of members.</summary>
/// <param name="Refused">Who cannot be removed, because nobody would vote any more.</param>
internal sealed record MembershipStep(ImmutableArray<PeerId> Voters, ImmutableArray<PeerId> Learners, ImmutableArray<PeerId> Refused);

/// <summary>
/// What the leader does next about its members: who is wanted becomes a learner first, a learner that has caught up votes (thesis, section
/// 4.2.1), who is not wanted goes. Everything that is due goes in one joint change.
/// </summary>
internal static class MembershipPlan
{
    internal static MembershipStep Next(
        Membership now, IReadOnlyCollection<PeerId> add, IReadOnlyCollection<PeerId> remove, Func<PeerId, bool> caughtUp)
    {
        var promoted = now.Learners.Where(l => caughtUp(l) && !remove.Contains(l));
        var voters = now.Voters.Concat(promoted).ToImmutableSortedSet();
        var refused = ImmutableArray.CreateBuilder<PeerId>();
        foreach (var gone in remove.Where(voters.Contains).Order())
        {
            if (voters.Count == 1)
                refused.Add(gone);
            else
                voters = voters.Remove(gone);
        }

        var learners = now.Learners.Concat(add.Where(a => !now.IsMember(a))).Except(voters).Except(remove).Order();
        return new([.. voters], [.. learners], refused.ToImmutable());
    }

    internal static bool Changes(this MembershipStep step, Membership now) =>
        !step.Voters.SequenceEqual(now.Voters) || !step.Learners.SequenceEqual(now.Learners);
}
