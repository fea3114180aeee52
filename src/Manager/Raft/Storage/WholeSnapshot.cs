using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Manager.Raft.Storage;

/// <summary>Pieces of a snapshot that a journal hands out whole.</summary>
internal sealed class WholeSnapshotReader(SnapshotMeta meta, ReadOnlyMemory<byte> state) : ISnapshotReader
{
    internal const int PieceBytes = 64 << 10;

    public SnapshotMeta Meta => meta;

    public long Length => state.Length;

    public Task<ReadOnlyMemory<byte>> ReadAsync(long offset, CancellationToken stop)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        var from = (int)Math.Min(offset, state.Length);
        return Task.FromResult(state.Slice(from, Math.Min(PieceBytes - (from % PieceBytes), state.Length - from)));
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

/// <summary>Gathers pieces for a journal that takes snapshots whole.</summary>
internal sealed class WholeSnapshotWriter(IJournal journal, SnapshotMeta meta) : ISnapshotWriter
{
    private readonly MemoryStream state = new();

    public SnapshotMeta Meta => meta;

    public long Length => state.Length;

    public Task AppendAsync(ReadOnlyMemory<byte> bytes)
    {
        state.Write(bytes.Span);
        return Task.CompletedTask;
    }

    public Task SaveAsync(ulong compactThrough) => journal.SaveSnapshotAsync(meta, Written(), compactThrough);

    public Task InstallAsync(HardState hardState) => journal.InstallSnapshotAsync(meta, Written(), hardState);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private ReadOnlyMemory<byte> Written() => state.GetBuffer().AsMemory(0, (int)state.Length);
}
