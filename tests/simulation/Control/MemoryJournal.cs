using Orchestrator.Manager.Raft.Core;
using Orchestrator.Manager.Raft.Storage;
using Orchestrator.Manager.Raft.Transport;
using Orchestrator.Tests.Simulation.Raft;

namespace Orchestrator.Tests.Simulation.Control;

/// <summary>What survives a manager's crash.</summary>
internal sealed class Disk
{
    internal List<Entry> Entries { get; } = [];
    internal HardState HardState { get; set; }
    internal SnapshotMeta Meta { get; set; } = SnapshotMeta.None;
    internal ReadOnlyMemory<byte>? Snapshot { get; set; }
}

/// <summary>A journal whose writes take a while; after the crash of its manager nothing is written or answered any more.</summary>
internal sealed class MemoryJournal(Disk disk, VirtualTime time, Dice dice) : IJournal
{
    private bool crashed;
    private Task last = Task.CompletedTask;

    internal void Crash() => crashed = true;

    public Task<JournalContents> OpenAsync(CancellationToken stop) =>
        Task.FromResult(new JournalContents(disk.HardState, disk.Meta, [.. disk.Entries]));

    public Task<(SnapshotMeta Meta, ReadOnlyMemory<byte> State)?> ReadSnapshotAsync(CancellationToken stop) =>
        Task.FromResult<(SnapshotMeta, ReadOnlyMemory<byte>)?>(disk.Snapshot is { } state ? (disk.Meta, state) : null);

    public Task WriteAsync(JournalWrite write) => InOrderAsync(() =>
    {
        if (write.HardState is { } state)
            disk.HardState = state;
        if (write.Entries is not [var first, ..])
            return;
        disk.Entries.RemoveAll(e => e.Index >= first.Index);
        disk.Entries.AddRange(write.Entries);
    });

    public Task SaveSnapshotAsync(SnapshotMeta meta, ReadOnlyMemory<byte> state, ulong compactThrough) => InOrderAsync(() =>
    {
        disk.Meta = meta;
        disk.Snapshot = state;
        disk.Entries.RemoveAll(e => e.Index <= compactThrough);
    });

    public Task InstallSnapshotAsync(SnapshotMeta meta, ReadOnlyMemory<byte> state, HardState hardState) =>
        throw new NotSupportedException("a single voter installs no snapshot");

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private Task InOrderAsync(Action write)
    {
        last = AfterAsync(last, write);
        return last;
    }

    private async Task AfterAsync(Task before, Action write)
    {
        await before;
        await Task.Delay(TimeSpan.FromMicroseconds(100 + dice.Below(3000)), time, CancellationToken.None);
        if (crashed)
            await new TaskCompletionSource().Task; // nobody is there to be answered
        write();
    }
}

/// <summary>The network of a voter without peers.</summary>
internal sealed class NoPeers : IPeerNetwork
{
    public void Attach(Action<PeerEvent> receive)
    {
    }

    public void Send(Message message) => throw new InvalidOperationException("a single voter has nobody to write to");

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
