using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Tests.Unit.Manager.Raft;

public sealed class CommitTests
{
    [Fact]
    public void An_entry_of_an_earlier_term_commits_only_below_one_of_the_leaders_own()
    {
        // Paper, figure 8: voter 1 wrote entry 1 in term 1 and leads again in term 3, where its empty entry is entry 2.
        PeerId[] voters = [new(1), new(2), new(3)];
        var core = new RaftCore(
            voters[0], voters, new(), new HardState(2, default, 0), SnapshotMeta.None, [new(1, 1, EntryKind.Command, "old"u8.ToArray())], 0, () => 0);
        core.CampaignNow();
        core.Step(new() { Kind = MessageKind.PreVoteReply, From = voters[1], Term = 3 });
        core.Persisted(core.TakeReady().Ticket);
        core.Step(new() { Kind = MessageKind.VoteReply, From = voters[0], Term = 3 });
        core.Step(new() { Kind = MessageKind.VoteReply, From = voters[1], Term = 3 });
        Assert.Equal(Role.Leader, core.Role);
        core.Persisted(core.TakeReady().Ticket);

        core.Step(new() { Kind = MessageKind.AppendReply, From = voters[1], Term = 3, LogIndex = 1 });
        Assert.Equal(0ul, core.Log.Commit); // on two of three, and still it may be overwritten
        core.Step(new() { Kind = MessageKind.AppendReply, From = voters[1], Term = 3, LogIndex = 2 });
        Assert.Equal(2ul, core.Log.Commit);
    }

    [Fact]
    public void A_leaders_own_entry_counts_only_when_its_disk_has_it()
    {
        var core = new RaftCore(new(1), [new(1)], new(), default, SnapshotMeta.None, [], 0, () => 0);
        core.CampaignNow();
        var standing = core.TakeReady();
        core.Persisted(standing.Ticket);
        core.Step(standing.AfterPersist.Single());
        var leading = core.TakeReady();
        Assert.Equal((0ul, 0), (core.Log.Commit, leading.Committed.Count));
        core.Persisted(leading.Ticket);
        Assert.Equal(1ul, core.Log.Commit);
        Assert.Single(core.TakeReady().Committed);
        Assert.True(core.HasAppliedOwnTerm);
    }

    [Fact]
    public void A_truncated_write_under_way_makes_nothing_durable()
    {
        var log = new RaftLog(SnapshotMeta.None, [], 0, Membership.None);
        log.Append(new(1, 1, EntryKind.Command, default));
        log.Append(new(2, 1, EntryKind.Command, default));
        log.TakeUnwritten(1);
        log.Merge([new(2, 2, EntryKind.Command, default)]);
        log.Persisted(1);
        Assert.Equal(1ul, log.Stable);
        log.TakeUnwritten(2);
        log.Persisted(2);
        Assert.Equal(2ul, log.Stable);
    }
}
