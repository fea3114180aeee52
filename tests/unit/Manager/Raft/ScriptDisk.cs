using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Tests.Unit.Manager.Raft;

/// <summary>What one voter of a script has on its disk, and what is still on its way there.</summary>
internal sealed class ScriptDisk(IReadOnlyList<PeerId> voters)
{
    private readonly List<Entry> entries = [];

    internal IReadOnlyList<PeerId> Voters => voters;

    internal Queue<(ulong Ticket, Ready Ready)> Writes { get; } = new();

    internal HardState HardState { get; private set; }

    internal SnapshotMeta Snapshot { get; private set; } = SnapshotMeta.None;

    internal IReadOnlyList<Entry> Entries => [.. entries];

    internal (ulong Ticket, Ready Ready)? Complete()
    {
        if (!Writes.TryDequeue(out var write))
            return null;
        if (write.Ready.Install is { } meta)
        {
            Snapshot = meta;
            entries.Clear();
        }

        if (write.Ready.Entries is [var first, ..])
        {
            entries.RemoveAll(e => e.Index >= first.Index);
            entries.AddRange(write.Ready.Entries);
        }

        HardState = write.Ready.HardState ?? HardState;
        return write;
    }

    internal void Save(SnapshotMeta meta)
    {
        Snapshot = meta;
        entries.RemoveAll(e => e.Index < meta.Index);
    }

    internal void Crash() => Writes.Clear();
}
