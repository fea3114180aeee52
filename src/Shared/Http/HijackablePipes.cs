using System.Buffers;
using System.IO.Pipelines;

namespace Orchestrator.Shared.Http;

/// <summary>Passes on what comes in until it is left; from then on there is nothing more to read.</summary>
internal sealed class HijackableReader(PipeReader inner) : PipeReader
{
    private static readonly ReadResult Nothing = new(ReadOnlySequence<byte>.Empty, isCanceled: false, isCompleted: true);
    private volatile bool left;

    internal void Leave() => left = true;

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default) =>
        left ? new ValueTask<ReadResult>(Nothing) : inner.ReadAsync(cancellationToken);

    public override bool TryRead(out ReadResult result)
    {
        if (!left)
            return inner.TryRead(out result);
        result = Nothing;
        return true;
    }

    public override void AdvanceTo(SequencePosition consumed)
    {
        if (!left)
            inner.AdvanceTo(consumed);
    }

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (!left)
            inner.AdvanceTo(consumed, examined);
    }

    public override void CancelPendingRead()
    {
        if (!left)
            inner.CancelPendingRead();
    }

    public override void Complete(Exception? exception = null)
    {
        if (!left)
            inner.Complete(exception);
    }
}

/// <summary>Passes on what is written until it is left; from then on it goes nowhere.</summary>
internal sealed class HijackableWriter(PipeWriter inner) : PipeWriter
{
    private readonly ArrayBufferWriter<byte> dropped = new(256);
    private volatile bool left;

    internal void Leave() => left = true;

    public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

    public override long UnflushedBytes => left ? 0 : inner.UnflushedBytes;

    public override Memory<byte> GetMemory(int sizeHint = 0) => left ? dropped.GetMemory(sizeHint) : inner.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => left ? dropped.GetSpan(sizeHint) : inner.GetSpan(sizeHint);

    public override void Advance(int bytes)
    {
        if (!left)
            inner.Advance(bytes);
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) =>
        left ? default : inner.FlushAsync(cancellationToken);

    public override void CancelPendingFlush()
    {
        if (!left)
            inner.CancelPendingFlush();
    }

    public override void Complete(Exception? exception = null)
    {
        if (!left)
            inner.Complete(exception);
    }
}
