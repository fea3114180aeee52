namespace Orchestrator.Manager.Raft.Core;

/// <summary>
/// The log in memory: entries after an offset whose term is kept, how far they are handed to the disk, durable there,
/// committed and applied. Invariant: offset ≤ applied ≤ commit ≤ last, and stable &lt; unwritten ≤ last + 1.
/// </summary>
internal sealed class RaftLog
{
    private readonly List<Entry> entries = [];
    private readonly Queue<(ulong Ticket, ulong Last)> writing = new();
    private (ulong Index, ulong Term) offset;
    private readonly List<(ulong Index, Membership Membership)> memberships = [];
    private ulong unwritten;

    /// <param name="initial">Who is a member where the log begins, when no snapshot says it.</param>
    internal RaftLog(SnapshotMeta snapshot, IReadOnlyList<Entry> stored, ulong commit, Membership initial)
    {
        Snapshot = snapshot;
        memberships.Add((snapshot.Index, snapshot.Index > 0 ? snapshot.Membership : initial));
        foreach (var change in stored.Where(e => e.Kind == EntryKind.Membership && e.Index > snapshot.Index))
            memberships.Add((change.Index, Membership.Decode(change.Data.Span)));
        if (stored.Count == 0 || stored[0].Index == snapshot.Index + 1)
        {
            offset = (snapshot.Index, snapshot.Term);
            entries.AddRange(stored);
        }
        else if (stored[0].Index == 1)
        {
            entries.AddRange(stored);
        }
        else
        {
            offset = (stored[0].Index, stored[0].Term); // its predecessor's term is not known, so it only marks the beginning
            entries.AddRange(stored.Skip(1));
        }

        Commit = Math.Max(commit, snapshot.Index);
        Applied = snapshot.Index;
        Stable = Last;
        unwritten = Last + 1;
        if (Commit > Last || offset.Index > snapshot.Index)
            throw new ArgumentException($"log {offset.Index}..{Last} does not reach from snapshot {snapshot.Index} to commit {commit}", nameof(stored));
    }

    internal SnapshotMeta Snapshot { get; private set; }

    /// <summary>The newest in the log, which is the one in force.</summary>
    internal Membership Membership => memberships[^1].Membership;

    /// <summary>Where <see cref="Membership"/> stands.</summary>
    internal ulong MembershipIndex => memberships[^1].Index;

    /// <summary>Who was a member at an index that is not below the snapshot's.</summary>
    internal Membership MembershipAt(ulong index) => memberships.FindLast(m => m.Index <= index).Membership
        ?? throw new ArgumentOutOfRangeException(nameof(index), index, $"the snapshot is at {Snapshot.Index}");

    internal ulong First => offset.Index + 1;

    internal ulong Last => offset.Index + (ulong)entries.Count;

    internal ulong LastTerm => entries.Count == 0 ? offset.Term : entries[^1].Term;

    internal ulong Commit { get; private set; }

    internal ulong Applied { get; private set; }

    /// <summary>The last index known to be durable here.</summary>
    internal ulong Stable { get; private set; }

    /// <summary>The entry's term, or null when the index is compacted away or not there yet.</summary>
    internal ulong? TermAt(ulong index)
    {
        if (index == offset.Index)
            return offset.Term;
        return index < offset.Index || index > Last ? null : At(index).Term;
    }

    internal bool Matches(ulong index, ulong term) => TermAt(index) == term;

    /// <summary>"Up to date" as of the paper's section 5.4.1.</summary>
    internal bool IsUpToDate(ulong lastIndex, ulong lastTerm) => lastTerm > LastTerm || (lastTerm == LastTerm && lastIndex >= Last);

    internal void Append(Entry entry)
    {
        if (entry.Index != Last + 1)
            throw new InvalidOperationException($"entry {entry.Index} does not follow {Last}");
        entries.Add(entry);
        if (entry.Kind == EntryKind.Membership)
            memberships.Add((entry.Index, Membership.Decode(entry.Data.Span)));
    }

    /// <summary>Takes a leader's entries, dropping what conflicts with them (figure 2, AppendEntries steps 3 and 4). They follow an index that matches.</summary>
    internal void Merge(IReadOnlyList<Entry> incoming)
    {
        foreach (var entry in incoming)
        {
            if (entry.Index <= offset.Index || Matches(entry.Index, entry.Term))
                continue;
            if (entry.Index <= Last)
                Truncate(entry.Index);
            Append(entry);
        }
    }

    internal bool CommitTo(ulong index)
    {
        if (index <= Commit)
            return false;
        if (index > Last)
            throw new InvalidOperationException($"commit {index} lies beyond the last entry {Last}: an acknowledged entry is lost");
        Commit = index;
        return true;
    }

    /// <summary>The highest index not above <paramref name="index"/> whose term is not above <paramref name="term"/>: the logs cannot agree above it.</summary>
    internal (ulong Index, ulong Term) LastNotAbove(ulong index, ulong term)
    {
        for (var i = Math.Min(index, Last); i > offset.Index; i--)
        {
            if (At(i).Term <= term)
                return (i, At(i).Term);
        }

        return (Math.Min(index, offset.Index), index >= offset.Index ? offset.Term : 0);
    }

    internal IReadOnlyList<Entry> Slice(ulong from, int maxBytes)
    {
        List<Entry> slice = [];
        var bytes = 0L;
        for (var i = from; i <= Last; i++)
        {
            var entry = At(i);
            bytes += entry.Data.Length;
            if (slice.Count > 0 && bytes > maxBytes)
                break;
            slice.Add(entry);
        }

        return slice;
    }

    internal IReadOnlyList<Entry> TakeCommitted()
    {
        if (Applied == Commit)
            return [];
        var taken = entries.GetRange((int)(Applied - offset.Index), (int)(Commit - Applied));
        Applied = Commit;
        return taken;
    }

    internal bool HasUnwritten => unwritten <= Last;

    /// <summary>Hands out what the disk has not seen, under the ticket by which it will be reported durable.</summary>
    internal IReadOnlyList<Entry> TakeUnwritten(ulong ticket)
    {
        var taken = HasUnwritten ? entries.GetRange((int)(unwritten - First), (int)(Last + 1 - unwritten)) : [];
        unwritten = Last + 1;
        writing.Enqueue((ticket, Last));
        return taken;
    }

    internal void Persisted(ulong ticket)
    {
        while (writing.TryPeek(out var write) && write.Ticket <= ticket)
            Stable = Math.Max(Stable, Math.Min(writing.Dequeue().Last, Last));
    }

    /// <summary>Becomes the snapshot alone.</summary>
    internal void Restore(SnapshotMeta snapshot)
    {
        entries.Clear();
        Snapshot = snapshot;
        offset = (snapshot.Index, snapshot.Term);
        Commit = Applied = snapshot.Index;
        Stable = snapshot.Index; // nothing is acknowledged before the ticket of its installation
        unwritten = snapshot.Index + 1;
        writing.Clear();
        memberships.Clear();
        memberships.Add((snapshot.Index, snapshot.Membership));
    }

    /// <summary>A snapshot was taken here; entries through <paramref name="through"/> are not needed any more.</summary>
    internal void Compact(SnapshotMeta snapshot, ulong through)
    {
        if (snapshot.Index > Applied || through > snapshot.Index)
            throw new ArgumentOutOfRangeException(nameof(through), through, $"snapshot {snapshot.Index}, applied {Applied}");
        if (snapshot.Index <= Snapshot.Index)
            return; // a leader's newer snapshot came while this one was written
        Snapshot = snapshot;
        memberships.RemoveRange(0, memberships.FindLastIndex(m => m.Index <= snapshot.Index));
        if (through <= offset.Index)
            return;
        var mark = At(through);
        entries.RemoveRange(0, (int)(through - offset.Index));
        offset = (mark.Index, mark.Term);
    }

    private Entry At(ulong index) => entries[(int)(index - First)];

    private void Truncate(ulong from)
    {
        if (from <= Commit)
            throw new InvalidOperationException($"entry {from} conflicts, but {Commit} is committed");
        entries.RemoveRange((int)(from - First), (int)(Last + 1 - from));
        memberships.RemoveAll(m => m.Index >= from); // what was not committed was never in force for good
        Stable = Math.Min(Stable, from - 1);
        unwritten = Math.Min(unwritten, from);
        for (var n = writing.Count; n > 0; n--)
        {
            var (ticket, last) = writing.Dequeue();
            writing.Enqueue((ticket, Math.Min(last, from - 1)));
        }
    }
}
