namespace Orchestrator.Manager.Raft.Core;

/// <summary>
/// Linearizable reads without entries: thesis, section 6.4 (read index). No clock is trusted: before it answers, the leader hears from a majority
/// that nobody has replaced it. Reads that come while a round is under way share the next one.
/// </summary>
internal sealed partial class RaftCore
{
    private readonly List<ReadPoint> readPoints = [];
    private readonly List<(PeerId Asker, ulong Read)> gathering = [];
    private readonly List<(PeerId Asker, ulong Read)> confirming = [];
    private readonly HashSet<PeerId> confirmations = [];
    private ulong confirmIndex;
    private ulong confirmRound;
    private ulong lastRead;
    private ulong answeredRead;
    private bool readDue;

    /// <summary>Asks for a read point, which comes as <see cref="Ready.Reads"/>. The read's number; null when no leader is known.</summary>
    internal ulong? AskRead()
    {
        if (Leader.IsNone)
            return null;
        readDue = true; // reads that are asked for together travel together
        return ++lastRead;
    }

    private bool MayConfirm => Role == Role.Leader && gathering.Count > 0 && confirming.Count == 0 && log.TermAt(log.Commit) == Term;

    /// <summary>The reads that are due leave: as a message to the leader, or into the leader's own next round.</summary>
    private void ForwardReads()
    {
        if (readDue && lastRead > answeredRead && !Leader.IsNone)
        {
            if (Role == Role.Leader)
                gathering.Add((Self, lastRead));
            else
                Send(new() { Kind = MessageKind.ReadIndex, To = Leader, Context = lastRead });
        }

        readDue = false;
        if (confirming.Count > 0)
            FinishReads(); // those who have not answered may not vote any more
        if (MayConfirm)
            ConfirmReads();
    }

    /// <summary>Begins a round. The commit index is taken first: everything acknowledged before these reads were asked for is at or below it.</summary>
    private void ConfirmReads()
    {
        confirming.AddRange(gathering);
        gathering.Clear();
        confirmIndex = log.Commit;
        confirmRound++;
        confirmations.Clear();
        confirmations.Add(Self);
        if (!FinishReads())
            BroadcastHeartbeat();
    }

    private bool FinishReads()
    {
        if (!Membership.HasQuorum(confirmations.Contains))
            return false;
        foreach (var (asker, read) in confirming)
        {
            if (asker == Self)
                AnswerRead(read, confirmIndex);
            else
                Send(new() { Kind = MessageKind.ReadIndexReply, To = asker, LogIndex = confirmIndex, Context = read });
        }

        confirming.Clear();
        return true;
    }

    private void AnswerRead(ulong through, ulong? index)
    {
        if (through <= answeredRead || through > lastRead)
            return; // a repeated answer, or one to this node before it restarted: its reads began elsewhere
        answeredRead = through;
        readPoints.Add(new(through, index));
    }

    private void OnReadIndex(Message m)
    {
        if (Role == Role.Leader)
            gathering.Add((m.From, m.Context));
    }

    private void OnReadIndexReply(Message m)
    {
        if (Role != Role.Leader && m.From == Leader)
            AnswerRead(m.Context, m.LogIndex);
    }

    private void OnConfirmation(Message m)
    {
        if (confirming.Count > 0 && m.Context == confirmRound && confirmations.Add(m.From))
            FinishReads();
    }

    /// <summary>Another leader or none: what was gathered for the old one is void; own reads go to the new one, or are told that nobody answers.</summary>
    private void Follow(PeerId leader)
    {
        if (leader == Leader)
            return;
        Leader = leader;
        gathering.Clear();
        confirming.Clear();
        if (leader.IsNone)
            AnswerRead(lastRead, null);
        else
            readDue = true;
    }
}
