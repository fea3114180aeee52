using Microsoft.Win32.SafeHandles;
using Orchestrator.Shared.Streams;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Runtime.Shim;

namespace Orchestrator.Worker.Runtime.Consoles;

/// <summary>
/// One end of a pipe or a terminal, read or written without holding a thread while nothing comes: hundreds of waiting programs cost one
/// thread together. Owns the descriptor.
/// </summary>
internal sealed class ConsoleStream(SafeFileHandle file, bool writes, EventLoop loop) : AsyncForwardStream
{
    private readonly CancellationTokenSource closing = new();
    private bool closed;

    public override bool CanRead => !writes && !closed;

    public override bool CanWrite => writes && !closed;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(closed, this);
        while (!buffer.IsEmpty)
        {
            var count = Fifo.Read(file, buffer.Span);
            if (count >= 0)
                return count;
            await WaitAsync(cancellationToken);
        }
        return 0;
    }

    /// <exception cref="IOException">Nobody reads any more.</exception>
    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(closed, this);
        while (!buffer.IsEmpty)
        {
            var count = Fifo.Write(file, buffer.Span);
            if (count == Fifo.NobodyReads)
                throw new IOException("The program does not read any more.");
            if (count < 0)
                await WaitAsync(cancellationToken);
            else
                buffer = buffer[count..];
        }
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    protected override void Dispose(bool disposing)
    {
        if (disposing && !Interlocked.Exchange(ref closed, true))
        {
            closing.Cancel();
            loop.Close(file); // after whoever waits for it was let go
            closing.Dispose();
        }
        base.Dispose(disposing);
    }

    private async Task WaitAsync(CancellationToken stop)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, closing.Token);
        try
        {
            await loop.ReadyAsync(file, writes, either.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw closed ? new ObjectDisposedException(nameof(ConsoleStream)) : new IOException("What watched the stream has ended.");
        }
    }
}
