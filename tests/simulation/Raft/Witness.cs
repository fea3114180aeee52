using System.Buffers.Binary;
using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Tests.Simulation.Raft;

/// <summary>Sees everything that any voter ever did, and throws when the paper's figure 3 does not hold.</summary>
internal sealed class Witness
{
    private readonly Dictionary<ulong, PeerId> leaders = [];
    private readonly Dictionary<(ulong Index, ulong Term), (ulong PreviousTerm, ulong Data)> entries = [];
    private readonly Dictionary<ulong, (ulong Term, ulong State)> applied = [];

    internal int Elections => leaders.Count;

    internal int Commits => applied.Count;

    /// <summary>The highest index that anybody has applied.</summary>
    internal ulong Newest { get; private set; }

    internal static ulong Mix(ulong state, Entry entry) => ((state ^ Value(entry)) * 0x100000001B3) + entry.Index;

    /// <summary>Election safety, and leader completeness.</summary>
    internal void Saw(RaftCore core)
    {
        if (core.Role != Role.Leader || !leaders.TryAdd(core.Term, core.Self))
        {
            if (core.Role == Role.Leader && leaders[core.Term] != core.Self)
                throw new InvalidOperationException($"two leaders in term {core.Term}: {leaders[core.Term]} and {core.Self}");
            return;
        }

        foreach (var (index, (term, _)) in applied)
        {
            if (index >= core.Log.First && core.Log.TermAt(index) != term)
                throw new InvalidOperationException($"leader {core.Self} of term {core.Term} lacks committed entry {index} of term {term}");
        }
    }

    /// <summary>Log matching, by induction: one index and term, one content and one predecessor.</summary>
    internal void Appended(RaftCore core, IReadOnlyList<Entry> fresh)
    {
        foreach (var entry in fresh)
        {
            if (core.Log.TermAt(entry.Index - 1) is not { } previous)
                continue;
            var seen = (previous, Value(entry));
            if (!entries.TryAdd((entry.Index, entry.Term), seen) && entries[(entry.Index, entry.Term)] != seen)
                throw new InvalidOperationException($"two different entries {entry.Index} of term {entry.Term}, the second on {core.Self}");
        }
    }

    /// <summary>State machine safety: committed is never lost and never changed.</summary>
    internal void Applied(RaftCore core, Entry entry, ulong state)
    {
        Newest = Math.Max(Newest, entry.Index);
        if (!applied.TryAdd(entry.Index, (entry.Term, state)) && applied[entry.Index] != (entry.Term, state))
            throw new InvalidOperationException($"{core.Self} applied another entry {entry.Index} (term {entry.Term}) than was committed (term {applied[entry.Index].Term})");
    }

    internal void Restored(ulong index, ulong state)
    {
        if (!applied.TryGetValue(index, out var there) || there.State != state)
            throw new InvalidOperationException($"the snapshot at {index} is not the state that was committed there");
    }

    private static ulong Value(Entry entry) => entry.Data.Length == 8
        ? BinaryPrimitives.ReadUInt64LittleEndian(entry.Data.Span)
        : entry.Data.Span.ToArray().Aggregate((ulong)entry.Kind, (hash, b) => (hash * 31) + b);
}
