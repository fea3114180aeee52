using Orchestrator.Manager.Raft.Storage;
using Orchestrator.Shared.Streams;

namespace Orchestrator.Manager.Raft.Node;

/// <summary>A stored snapshot as the stream that a machine restores itself from; it reads piece by piece.</summary>
internal sealed class SnapshotReading(ISnapshotReader reader) : AsyncForwardStream
{
    private ReadOnlyMemory<byte> rest;
    private long position;

    public override bool CanRead => true;

    public override long Length => reader.Length;

    public override long Position
    {
        get => position;
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (rest.IsEmpty)
            rest = await reader.ReadAsync(position, cancellationToken);
        var count = Math.Min(buffer.Length, rest.Length);
        rest[..count].CopyTo(buffer);
        rest = rest[count..];
        position += count;
        return count;
    }
}
