using Orchestrator.Manager.Raft.Core;
using Orchestrator.Manager.Raft.Node;

namespace Orchestrator.Tests.Unit.Manager.Raft;

public sealed class MembershipPlanTests
{
    [Theory]
    [InlineData("1", "", "2", "", "", "1", "2", "")] // who is wanted learns first
    [InlineData("1", "2", "2", "", "", "1", "2", "")] // and goes on learning
    [InlineData("1", "2", "2", "", "2", "1 2", "", "")] // until it has caught up
    [InlineData("1", "2 3", "", "", "3", "1 3", "2", "")] // also when nobody waits for it any more
    [InlineData("1 2 3", "", "4 5", "3", "", "1 2", "4 5", "")] // everything that is due goes at once
    [InlineData("1 2 3", "4", "", "4", "4", "1 2 3", "", "")] // who is removed is not promoted
    [InlineData("1 2 3", "", "2", "", "", "1 2 3", "", "")] // a voter is one already
    [InlineData("1", "", "", "1", "", "1", "", "1")] // somebody has to vote
    [InlineData("1 2", "", "", "1 2", "", "2", "", "2")] // so the last one stays
    [InlineData("1", "2", "", "1", "2", "2", "", "")] // unless another votes from now on
    [InlineData("1 2", "", "", "9", "", "1 2", "", "")] // who is no member need not go
    public void The_next_step(string voters, string learners, string add, string remove, string caughtUp, string nextVoters, string nextLearners, string refused)
    {
        var now = Membership.Of(Peers(voters)) with { Learners = [.. Peers(learners)] };
        var step = MembershipPlan.Next(now, Peers(add), Peers(remove), Peers(caughtUp).Contains);
        Assert.Equal(Peers(nextVoters), step.Voters);
        Assert.Equal(Peers(nextLearners), step.Learners);
        Assert.Equal(Peers(refused), step.Refused);
        Assert.Equal(nextVoters != voters || nextLearners != learners, step.Changes(now));
    }

    private static List<PeerId> Peers(string text) =>
        [.. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(n => new PeerId(ulong.Parse(n, System.Globalization.CultureInfo.InvariantCulture)))];
}
