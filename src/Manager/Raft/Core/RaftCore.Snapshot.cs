namespace Orchestrator.Manager.Raft.Core;

/// <summary>Snapshots instead of compacted entries: paper, section 7; and leadership transfer: thesis, section 3.10.</summary>
internal sealed partial class RaftCore
{
    private PeerId transferee;

    /// <summary>To whom leadership is being handed; nobody when it succeeded or took too long.</summary>
    internal PeerId Transferee => transferee;

    /// <summary>The node stored a snapshot of its applied state; entries through the index may go.</summary>
    internal void Compact(SnapshotMeta snapshot, ulong through) => log.Compact(snapshot, through);

    internal void ReportSnapshot(PeerId peer, bool arrived)
    {
        if (!followers.TryGetValue(peer, out var follower) || follower.Pace != Pace.Snapshot)
            return;
        if (arrived)
            follower.Probe();
        else
            follower.SnapshotFailed();
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
        Send(new() { Kind = MessageKind.Snapshot, To = peer, Snapshot = log.Snapshot });
        follower.AwaitSnapshot(log.Snapshot.Index);
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
        }
        else
        {
            log.Restore(meta);
            install = m;
        }

        Send(new() { Kind = MessageKind.AppendReply, To = m.From, LogIndex = meta.Index });
    }
}
