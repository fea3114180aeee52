using Orchestrator.Manager.Raft.Core;
using Orchestrator.Tests.Simulation.Raft;

namespace Orchestrator.Tests.Simulation.Managers;

/// <summary>What a host's disk holds for good, and what was handed to it and is not synced yet. A crash loses the latter, from some write on.</summary>
internal sealed class ManagerDisk
{
    private readonly Queue<Action> unsynced = new();
    private readonly Dictionary<ulong, Entry> entries = [];

    internal HardState HardState { get; private set; }

    internal SnapshotMeta Meta { get; private set; } = SnapshotMeta.None;

    internal ReadOnlyMemory<byte>? Snapshot { get; private set; }

    internal IReadOnlyList<Entry> Entries => [.. entries.Values.OrderBy(e => e.Index)];

    /// <summary>Added to every sync: a disk that is slow.</summary>
    internal TimeSpan Slowness { get; set; }

    /// <summary>The next sync fails.</summary>
    internal bool Fails { get; set; }

    /// <summary>A crash at this moment would not lose the entry.</summary>
    internal bool Holds(ulong index, ulong term) => index <= Meta.Index || (entries.TryGetValue(index, out var entry) && entry.Term == term);

    internal void Hand(Action write) => unsynced.Enqueue(write);

    internal int Unsynced => unsynced.Count;

    /// <summary>The oldest writes reach the platter.</summary>
    internal void Sync(int writes)
    {
        for (; writes > 0; writes--)
            unsynced.Dequeue()();
    }

    /// <summary>Power fails: what was handed over last is gone, and a write is there as a whole or not at all.</summary>
    internal void Crash(Dice dice)
    {
        Sync(dice.Below(unsynced.Count + 1));
        unsynced.Clear();
        Fails = false;
    }

    internal void Write(HardState? state, IReadOnlyList<Entry> fresh)
    {
        if (state is { } hard)
            HardState = hard;
        for (var i = fresh is [var first, ..] ? first.Index : 0; entries.Remove(i); i++)
        {
            // what follows the first is replaced with it
        }

        foreach (var entry in fresh)
            entries[entry.Index] = entry;
    }

    internal void Save(SnapshotMeta meta, ReadOnlyMemory<byte> state, ulong compactThrough)
    {
        if (meta.Index > Meta.Index)
        {
            Meta = meta;
            Snapshot = state;
        }

        foreach (var index in entries.Keys.Where(i => i <= compactThrough).ToList())
            entries.Remove(index);
    }

    internal void Install(SnapshotMeta meta, ReadOnlyMemory<byte> state, HardState hard)
    {
        Meta = meta;
        Snapshot = state;
        HardState = hard;
        entries.Clear();
    }
}
