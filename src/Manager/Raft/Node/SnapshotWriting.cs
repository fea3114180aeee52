using Orchestrator.Manager.Raft.Storage;
using Orchestrator.Shared.Streams;

namespace Orchestrator.Manager.Raft.Node;

/// <summary>The stream that a machine writes its snapshot to; it gathers pieces, so that neither the loop nor the journal holds the whole.</summary>
internal sealed class SnapshotWriting(ISnapshotWriter writer, int pieceBytes) : AsyncForwardStream
{
    private readonly byte[] piece = new byte[pieceBytes];
    private int filled;

    public override bool CanWrite => true;

    public override long Length => writer.Length + filled;

    public override long Position
    {
        get => Length;
        set => throw new NotSupportedException();
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (!buffer.IsEmpty)
        {
            var count = Math.Min(buffer.Length, piece.Length - filled);
            buffer[..count].CopyTo(piece.AsMemory(filled));
            buffer = buffer[count..];
            filled += count;
            if (filled == piece.Length)
                await FlushAsync(cancellationToken);
        }
    }

    public override async Task FlushAsync(CancellationToken cancellationToken)
    {
        if (filled > 0)
            await writer.AppendAsync(piece.AsMemory(0, filled));
        filled = 0;
    }
}
