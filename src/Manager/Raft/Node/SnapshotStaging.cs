using Orchestrator.Manager.Raft.Core;
using Orchestrator.Manager.Raft.Storage;
using Orchestrator.Manager.Raft.Transport;

namespace Orchestrator.Manager.Raft.Node;

/// <summary>Writes a leader's snapshot to the journal as its pieces come. They are answered when they are taken in.</summary>
internal sealed class SnapshotStaging(IJournal journal, IPeerNetwork network)
{
    private ISnapshotWriter? writer;

    internal async Task TakeAsync(StagedPiece staged)
    {
        var piece = staged.Piece;
        if (piece.Offset == 0)
        {
            await DropAsync();
            writer = journal.BeginSnapshot(piece.Snapshot!);
        }

        if (writer is null || writer.Length != piece.Offset)
            throw new InvalidOperationException($"a piece from {piece.Offset} on does not follow {writer?.Length} bytes of snapshot {piece.Snapshot!.Index}");
        await writer.AppendAsync(piece.SnapshotData);
        if (staged.Reply is { } reply)
            network.Send(reply);
    }

    /// <summary>Asks the journal to make what was staged its snapshot; the inner task is the durable write.</summary>
    internal Task InstallAsync(HardState state)
    {
        var whole = writer ?? throw new InvalidOperationException("no snapshot is staged");
        writer = null;
        return FinishAsync(whole, whole.InstallAsync(state));
    }

    internal async Task DropAsync()
    {
        if (writer is not null)
            await writer.DisposeAsync();
        writer = null;
    }

    private static async Task FinishAsync(ISnapshotWriter whole, Task write)
    {
        await using (whole)
            await write;
    }
}
