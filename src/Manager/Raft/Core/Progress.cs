namespace Orchestrator.Manager.Raft.Core;

/// <summary>How the leader sends to one follower.</summary>
internal enum Pace
{
    /// <summary>One append at a time until it is known where the logs agree.</summary>
    Probe,

    /// <summary>Optimistically, many appends on their way.</summary>
    Replicate,

    /// <summary>A snapshot is on its way; appends wait for it.</summary>
    Snapshot,
}

/// <summary>What the leader knows of one follower (figure 2, nextIndex and matchIndex).</summary>
internal sealed class Progress
{
    private readonly Queue<(ulong Last, long Bytes)> inflight = new();
    private readonly RaftOptions options;
    private long inflightBytes;
    private bool probeSent;
    private (ulong Target, long Began) round;

    /// <param name="now">In the leader's ticks.</param>
    internal Progress(ulong next, RaftOptions options, long now)
    {
        Next = next;
        this.options = options;
        round = (next - 1, now);
        LastHeard = now;
    }

    internal ulong Match { get; private set; }

    internal ulong Next { get; private set; }

    internal Pace Pace { get; private set; }

    /// <summary>Under <see cref="Pace.Snapshot"/> and then only.</summary>
    internal SnapshotSending? Sending { get; private set; }

    /// <summary>It answered since the last check of the quorum.</summary>
    internal bool RecentlyActive { get; set; }

    /// <summary>When it last answered, in the leader's ticks.</summary>
    internal long LastHeard { get; private set; }

    /// <summary>It would not hold up the others as a voter (thesis, section 4.2.1).</summary>
    internal bool CaughtUp { get; private set; }

    internal bool MaySend => Pace switch
    {
        Pace.Probe => !probeSent,
        Pace.Replicate => inflight.Count < options.MaxInflight && inflightBytes < options.MaxInflightBytes,
        _ => false,
    };

    /// <summary>An append that ends at <paramref name="last"/> leaves; without entries it only asks, or tells the commit index.</summary>
    internal void Sent(ulong last, IReadOnlyList<Entry> entries)
    {
        if (Pace == Pace.Probe)
        {
            probeSent = true;
        }
        else if (entries.Count > 0)
        {
            Next = last + 1;
            var bytes = 0L;
            foreach (var entry in entries)
                bytes += entry.Data.Length;
            inflight.Enqueue((last, bytes));
            inflightBytes += bytes;
        }
    }

    /// <summary>The follower's log matches through the index. False for news that is old.</summary>
    internal bool Accepted(ulong index)
    {
        while (inflight.TryPeek(out var oldest) && oldest.Last <= index)
            Land();
        var moved = index > Match;
        if (moved)
            Match = index;
        Next = Math.Max(Next, index + 1);
        if (Pace == Pace.Probe || (Pace == Pace.Snapshot && Match >= Sending!.Index))
            Replicate();
        return moved;
    }

    /// <summary>The append after <paramref name="refused"/> did not fit. False when that append is outdated.</summary>
    internal bool Refused(ulong refused, ulong tryAfter)
    {
        if (Pace == Pace.Replicate)
        {
            if (refused <= Match)
                return false; // the refusal was overtaken by an acceptance
            Probe(Match + 1);
            return true;
        }

        if (Pace == Pace.Snapshot || Next - 1 != refused)
            return false;
        Probe(Math.Max(Math.Min(refused, tryAfter + 1), Match + 1));
        return true;
    }

    internal void Probe() => Probe(Match + 1);

    internal void BeginSnapshot(ulong index, long now)
    {
        Pace = Pace.Snapshot;
        Sending = new(index, now);
        Empty();
    }

    internal void Heard(long now)
    {
        RecentlyActive = true;
        LastHeard = now;
    }

    /// <summary>
    /// Replication in rounds (thesis, section 4.2.1): a round ends when the follower has what was in the leader's log when it began. Who needs less
    /// than an election timeout for a round has caught up.
    /// </summary>
    internal void CatchUp(ulong last, long now, int timeout)
    {
        if (CaughtUp || Match < round.Target)
            return;
        CaughtUp = now - round.Began < timeout;
        round = (last, now);
    }

    /// <summary>An answer to a heartbeat: one more probe may go, and a full pipeline gets one place, in case answers were lost.</summary>
    internal void MakeRoom()
    {
        probeSent = false;
        if (!MaySend && inflight.Count > 0)
            Land();
    }

    private void Land() => inflightBytes -= inflight.Dequeue().Bytes;

    private void Empty()
    {
        inflight.Clear();
        inflightBytes = 0;
    }

    private void Probe(ulong next)
    {
        Pace = Pace.Probe;
        Next = next;
        probeSent = false;
        Sending = null;
        Empty();
    }

    private void Replicate()
    {
        Pace = Pace.Replicate;
        Next = Match + 1;
        Sending = null;
        Empty();
    }
}
