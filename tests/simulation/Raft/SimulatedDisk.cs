using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Tests.Simulation.Raft;

/// <summary>A disk that writes in order and late; a crash loses what was not written yet.</summary>
internal sealed class SimulatedDisk
{
    private readonly Queue<(ulong Ticket, Action Write)> writes = new();
    private readonly List<Entry> entries = [];

    internal HardState HardState { get; private set; }

    internal SnapshotMeta Snapshot { get; private set; } = SnapshotMeta.None;

    internal ReadOnlyMemory<byte> SnapshotData { get; private set; }

    internal IReadOnlyList<Entry> Entries => [.. entries];

    internal bool Busy => writes.Count > 0;

    /// <param name="installed">The snapshot's bytes when there is one to install.</param>
    internal void Write(Ready ready, ReadOnlyMemory<byte> installed) => writes.Enqueue((ready.Ticket, () =>
    {
        if (ready.Install is { } meta)
        {
            entries.Clear();
            Snapshot = meta;
            SnapshotData = installed;
        }

        if (ready.Entries.Count > 0)
        {
            entries.RemoveAll(e => e.Index >= ready.Entries[0].Index);
            entries.AddRange(ready.Entries);
        }

        HardState = ready.HardState!.Value;
    }));

    internal void SaveSnapshot(SnapshotMeta meta, ReadOnlyMemory<byte> data, ulong through) => writes.Enqueue((0, () =>
    {
        if (meta.Index <= Snapshot.Index)
            return;
        Snapshot = meta;
        SnapshotData = data;
        entries.RemoveAll(e => e.Index < through);
    }));

    /// <summary>The oldest write becomes durable. Its ticket; zero for a snapshot.</summary>
    internal ulong Complete()
    {
        var (ticket, write) = writes.Dequeue();
        write();
        return ticket;
    }

    /// <summary>Power fails: of the writes under way, as many as given still reach the disk.</summary>
    internal void Crash(int survivors)
    {
        for (; survivors > 0; survivors--)
            Complete();
        writes.Clear();
    }

    internal int UnderWay => writes.Count;
}
