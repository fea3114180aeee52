namespace Orchestrator.Manager.Raft.Storage;

/// <summary>
/// What a sound journal looks like. A torn tail is no damage: the store drops a write that did not complete, and nobody was
/// promised it. A hole in the middle, or an end before the commit index, is: acknowledged entries are gone.
/// </summary>
internal static class JournalCheck
{
    /// <summary>What is wrong, in words, or null.</summary>
    internal static string? Problem(JournalContents contents)
    {
        var (hardState, snapshot, entries) = contents;
        for (var i = 1; i < entries.Count; i++)
        {
            if (entries[i].Index != entries[i - 1].Index + 1)
                return $"entries {entries[i - 1].Index + 1} to {entries[i].Index - 1} are missing in the middle";
            if (entries[i].Term < entries[i - 1].Term)
                return $"entry {entries[i].Index} has term {entries[i].Term}, the one before it {entries[i - 1].Term}";
        }

        var first = entries.Count > 0 ? entries[0].Index : snapshot.Index + 1;
        var last = entries.Count > 0 ? entries[^1].Index : snapshot.Index;
        if (first > snapshot.Index + 1)
            return $"entries {snapshot.Index + 1} to {first - 1}, after the snapshot, are missing";
        if (last < snapshot.Index)
            return $"the entries end at {last}, before the snapshot {snapshot.Index}";
        if (hardState.Commit > last)
            return $"it ends at entry {last}, but entry {hardState.Commit} was committed";
        if (entries.Count > 0 && entries[^1].Term > hardState.Term)
            return $"entry {last} has term {entries[^1].Term}, but the stored term is {hardState.Term}";
        return null;
    }
}
