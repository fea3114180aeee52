using System.Collections.Immutable;

namespace Orchestrator.Manager.Raft.Core;

/// <summary>Appends and their answers, commit: paper, sections 5.3 and 5.4.2.</summary>
internal sealed partial class RaftCore
{
    private readonly SortedDictionary<PeerId, Progress> followers = [];
    private readonly Func<PeerId, ulong> matchOf;
    private bool commitNews;

    internal IReadOnlyDictionary<PeerId, Progress> Followers => followers;

    /// <summary>The first index of this term is applied: everything that earlier leaders committed is too (thesis, section 6.4).</summary>
    internal bool HasAppliedOwnTerm => Role == Role.Leader && log.TermAt(log.Applied) == Term;

    /// <summary>The members that the leader has not heard from for an election timeout, as it said last.</summary>
    internal ImmutableArray<PeerId> Silent { get; private set; } = [];

    /// <summary>Messages to the peer were lost: go back to one append at a time.</summary>
    internal void ReportUnreachable(PeerId peer)
    {
        if (followers.TryGetValue(peer, out var follower) && follower.Pace == Pace.Replicate)
            follower.Probe();
    }

    private void TickLeader()
    {
        if (electionElapsed >= options.ElectionTicks)
        {
            electionElapsed = 0;
            transferee = PeerId.None; // a transfer that takes longer than an election has failed (thesis, section 3.10)
            CheckQuorum();
            if (Role != Role.Leader)
                return;
        }

        if (++heartbeatElapsed < options.HeartbeatTicks)
            return;
        BroadcastHeartbeat();
        RepeatPieces();
    }

    private void BroadcastHeartbeat()
    {
        heartbeatElapsed = 0;
        Silent = [.. followers.Where(f => ticks - f.Value.LastHeard > options.ElectionTicks).Select(f => f.Key)];
        foreach (var (peer, follower) in followers)
        {
            // Never more than the follower is known to hold: it may have a conflicting tail beyond that.
            Send(new()
            {
                Kind = MessageKind.Heartbeat, To = peer, Commit = Math.Min(follower.Match, log.Commit), Silent = Silent,
                Context = confirming.Count > 0 ? confirmRound : 0,
            });
        }
    }

    private void OnHeartbeat(Message m)
    {
        Silent = m.Silent;
        log.CommitTo(Math.Min(m.Commit, log.Last));
        Send(new() { Kind = MessageKind.HeartbeatReply, To = m.From, Context = m.Context });
    }

    private void AppendOwn(EntryKind kind, ReadOnlyMemory<byte> data) => log.Append(new(log.Last + 1, Term, kind, data));

    private void BroadcastAppend()
    {
        foreach (var (peer, follower) in followers)
        {
            if (commitNews && follower.MaySend && follower.Next > log.Last)
                SendAppend(peer, follower); // nothing to carry it
            SendAppends(peer, follower);
        }

        commitNews = false;
    }

    private void SendAppends(PeerId peer, Progress follower)
    {
        while (follower.MaySend && follower.Next <= log.Last)
            SendAppend(peer, follower);
    }

    /// <summary>One append from the follower's next index, empty when there is nothing new: the commit index is news, too.</summary>
    private void SendAppend(PeerId peer, Progress follower)
    {
        var previous = follower.Next - 1;
        if (log.TermAt(previous) is not { } term)
        {
            SendSnapshot(peer, follower);
            return;
        }

        var entries = log.Slice(follower.Next, options.MaxAppendBytes);
        Send(new()
        {
            Kind = MessageKind.Append, To = peer, LogIndex = previous, LogTerm = term, Entries = entries, Commit = log.Commit,
        });
        follower.Sent(entries.Count > 0 ? entries[^1].Index : previous, entries);
    }

    private void OnAppend(Message m)
    {
        if (m.LogIndex < log.Commit)
        {
            // Old news: what is committed is not up for discussion.
            Send(new() { Kind = MessageKind.AppendReply, To = m.From, LogIndex = log.Commit });
            return;
        }

        if (!log.Matches(m.LogIndex, m.LogTerm))
        {
            var (hint, hintTerm) = log.LastNotAbove(m.LogIndex, m.LogTerm);
            Send(new() { Kind = MessageKind.AppendReply, To = m.From, Reject = true, LogIndex = m.LogIndex, Hint = hint, HintTerm = hintTerm });
            return;
        }

        log.Merge(m.Entries);
        var lastNew = m.LogIndex + (ulong)m.Entries.Count;
        log.CommitTo(Math.Min(m.Commit, lastNew));
        Send(new() { Kind = MessageKind.AppendReply, To = m.From, LogIndex = lastNew });
    }

    private void OnAppendReply(Message m)
    {
        if (Role != Role.Leader || !followers.TryGetValue(m.From, out var follower))
            return;
        follower.Heard(ticks);
        if (m.Reject)
        {
            var tryAfter = m.HintTerm > 0 ? log.LastNotAbove(m.Hint, m.HintTerm).Index : m.Hint;
            if (follower.Refused(m.LogIndex, tryAfter))
                SendAppend(m.From, follower);
            return;
        }

        var paceBefore = follower.Pace;
        var moved = follower.Accepted(m.LogIndex);
        follower.CatchUp(log.Last, ticks, options.ElectionTicks);
        if (moved)
            AdvanceCommit();
        if (Role != Role.Leader)
            return; // that was the end of a change that left this node out
        if (paceBefore != follower.Pace)
            SendAppend(m.From, follower); // also without entries: while it was probed, it was not told the commit index
        else if (moved && follower.Next <= log.Last)
            broadcastDue = true; // there is room for more, which leaves with whatever else this turn brings
        FinishTransfer(m.From, follower);
    }

    private void OnHeartbeatReply(Message m)
    {
        if (Role != Role.Leader || !followers.TryGetValue(m.From, out var follower))
            return;
        follower.Heard(ticks);
        follower.MakeRoom();
        follower.CatchUp(log.Last, ticks, options.ElectionTicks); // in a cluster that writes nothing a slow first round would have no second
        OnConfirmation(m);
        if (follower.Match < log.Last && follower.Pace != Pace.Snapshot && follower.MaySend)
            SendAppend(m.From, follower);
    }

    /// <summary>An entry of an earlier term is committed only by one of this term above it (section 5.4.2, figure 8).</summary>
    private void AdvanceCommit()
    {
        var index = Membership.Committed(matchOf);
        if (log.TermAt(index) != Term || !log.CommitTo(index))
            return;
        broadcastDue = commitNews = true; // answers that come together are news once
        if (MembershipDecided())
            FinishMembership();
    }

    private ulong MatchOf(PeerId peer) => peer == Self ? log.Stable : followers.TryGetValue(peer, out var follower) ? follower.Match : 0;
}
