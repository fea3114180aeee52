namespace Orchestrator.Manager.Raft.Core;

/// <summary>Snapshots instead of compacted entries: paper, section 7; and leadership transfer: thesis, section 3.10.</summary>
internal sealed partial class RaftCore
{
    private readonly List<StagedPiece> staged = [];
    private SnapshotIntake? intake;
    private PeerId transferee;

    /// <summary>To whom leadership is being handed; nobody when it succeeded or took too long.</summary>
    internal PeerId Transferee => transferee;

    /// <summary>The node stored a snapshot of its applied state; entries through the index may go.</summary>
    internal void Compact(SnapshotMeta snapshot, ulong through) => log.Compact(snapshot, through);

    /// <summary>A piece of a snapshot did not reach the peer.</summary>
    internal void ReportSnapshotLost(PeerId peer)
    {
        if (followers.TryGetValue(peer, out var follower))
            follower.Sending?.Lost();
    }

    /// <summary>Hands leadership over when the peer's log is complete; proposals are refused meanwhile.</summary>
    internal bool TransferTo(PeerId peer)
    {
        if (Role != Role.Leader || !Membership.Voters.Contains(peer) || !followers.TryGetValue(peer, out var follower))
            return false;
        transferee = peer;
        electionElapsed = 0; // one election timeout for the transfer
        if (follower.Match < log.Last && follower.MaySend)
            SendAppend(peer, follower);
        FinishTransfer(peer, follower);
        return true;
    }

    private void FinishTransfer(PeerId peer, Progress follower)
    {
        if (peer == transferee && follower.Match == log.Last)
            Send(new() { Kind = MessageKind.TimeoutNow, To = peer });
    }

    private void OnTimeoutNow()
    {
        if (Role == Role.Follower && MayCampaign)
            Campaign(transfer: true);
    }

    private void SendSnapshot(PeerId peer, Progress follower)
    {
        follower.BeginSnapshot(log.Snapshot.Index, ticks);
        SendPieces(peer, follower);
    }

    private void SendPieces(PeerId peer, Progress follower)
    {
        while (follower.Sending?.Next(options) is { } offset)
            Send(new() { Kind = MessageKind.Snapshot, To = peer, Snapshot = log.Snapshot, Offset = offset });
    }

    private void RepeatPieces()
    {
        foreach (var (peer, follower) in followers)
        {
            if (follower.Sending is not { } sending || ticks - follower.LastHeard > options.ElectionTicks)
                continue; // who is silent is not sent the same again and again
            sending.Repeat(ticks, options.ElectionTicks);
            SendPieces(peer, follower);
        }
    }

    private void OnSnapshotReply(Message m)
    {
        if (Role != Role.Leader || !followers.TryGetValue(m.From, out var follower))
            return;
        follower.Heard(ticks);
        if (follower.Sending is not { } sending)
            return;
        if (m.Reject)
            follower.Probe(); // from where the logs may agree, and so perhaps with another snapshot
        else if (m.LogIndex >= sending.Index)
            sending.Holds(m.Offset, m.Length, ticks);
        if (m.Reject)
            SendAppend(m.From, follower);
        else
            SendPieces(m.From, follower);
    }

    private void OnSnapshot(Message m)
    {
        var meta = m.Snapshot ?? throw new ArgumentException("a snapshot message without metadata", nameof(m));
        if (meta.Index <= log.Commit)
        {
            Send(new() { Kind = MessageKind.AppendReply, To = m.From, LogIndex = log.Commit });
            return;
        }

        if (log.Matches(meta.Index, meta.Term))
        {
            // The entries are all here; only the news of their commit was missing.
            log.CommitTo(meta.Index);
            Send(new() { Kind = MessageKind.AppendReply, To = m.From, LogIndex = meta.Index });
            return;
        }

        var into = intake is { } same && (same.Index, same.Term, same.Length) == (meta.Index, meta.Term, m.Length) ? same : new(meta.Index, meta.Term, m.Length);
        if (m.Offset == 0)
            intake = into; // another snapshot, perhaps an older one of a new leader's, takes the place of what was staged
        Stage(m, meta, into);
    }

    private void Stage(Message m, SnapshotMeta meta, SnapshotIntake into)
    {
        if (into.Take(m.Offset, m.SnapshotData.Span) && !into.IsWhole)
        {
            staged.Add(new(m, Holding(m, into)));
            return;
        }

        if (!into.IsWhole)
        {
            Send(Holding(m, into)); // a piece twice, or one before it was lost
            return;
        }

        intake = null;
        if (!into.HasDigest(m.Digest.Span))
        {
            Send(new() { Kind = MessageKind.SnapshotReply, To = m.From, LogIndex = meta.Index, LogTerm = meta.Term, Reject = true });
            return;
        }

        staged.Add(new(m, null));
        log.Restore(meta);
        install = meta;
        Send(new() { Kind = MessageKind.AppendReply, To = m.From, LogIndex = meta.Index });
    }

    private Message Holding(Message m, SnapshotIntake into) => new()
    {
        Kind = MessageKind.SnapshotReply, From = Self, To = m.From, Term = Term, LogIndex = into.Index, LogTerm = into.Term, Offset = into.Held, Length = into.Length,
    };
}
