namespace Orchestrator.Shared.Streams;

/// <summary>A stream of which a first piece has been read already, together with what was before it. Owns it.</summary>
public sealed class PrefixedStream(ReadOnlyMemory<byte> first, Stream rest) : AsyncForwardStream
{
    private int given;

    public override bool CanRead => true;

    public override bool CanWrite => rest.CanWrite;

    public override int Read(Span<byte> buffer) => given < first.Length ? Give(buffer) : rest.Read(buffer);

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        given < first.Length ? new ValueTask<int>(Give(buffer.Span)) : rest.ReadAsync(buffer, cancellationToken);

    public override void Write(ReadOnlySpan<byte> buffer) => rest.Write(buffer);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => rest.WriteAsync(buffer, cancellationToken);

    public override void Flush() => rest.Flush();

    private int Give(Span<byte> into)
    {
        var count = Math.Min(into.Length, first.Length - given);
        first.Span.Slice(given, count).CopyTo(into);
        given += count;
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            rest.Dispose();
        base.Dispose(disposing);
    }
}
