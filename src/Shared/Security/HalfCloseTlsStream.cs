using System.Buffers;
using System.Net.Security;
using Orchestrator.Shared.Streams;

namespace Orchestrator.Shared.Security;

/// <summary>
/// A TLS stream whose sending side can end while somebody reads. OpenSSL's state is for one thread at a time; <see cref="SslStream"/> holds reading and
/// writing apart, but not its end: one beside a read lost the other side's last bytes, or its end, now and then. Here the read is
/// interrupted, the side ended, and the read taken up again.
/// </summary>
public sealed class HalfCloseTlsStream(SslStream inner) : AsyncForwardStream
{
    private readonly SemaphoreSlim reading = new(1);
    private readonly CancellationTokenSource asked = new();
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int ends;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    /// <summary>Says that nothing more comes (close_notify), and leaves reading as it is. Nobody may write meanwhile or after it; a second call does nothing.</summary>
    /// <exception cref="IOException">The other side has ended the connection.</exception>
    public async Task EndWritesAsync()
    {
        if (Interlocked.Exchange(ref ends, 1) != 0)
        {
            await ended.Task;
            return;
        }

        asked.Cancel();
        await reading.WaitAsync();
        try
        {
            await inner.ShutdownAsync();
        }
        finally
        {
            reading.Release();
            ended.SetResult();
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var interruptible = !asked.IsCancellationRequested;
            if (!interruptible)
                await ended.Task.WaitAsync(cancellationToken);
            await reading.WaitAsync(cancellationToken);
            using var either = interruptible ? CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, asked.Token) : null;
            try
            {
                return await inner.ReadAsync(buffer, either?.Token ?? cancellationToken);
            }
            catch (OperationCanceledException) when (interruptible && asked.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                // taken up again when the sending side has ended; what had come is kept by the stream
            }
            finally
            {
                reading.Release();
            }
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    /// <summary>By a borrowed array: what waits for the other side can't hold a span.</summary>
    public override int Read(Span<byte> buffer)
    {
        var borrowed = ArrayPool<byte>.Shared.Rent(buffer.Length);
        try
        {
            var count = Read(borrowed, 0, buffer.Length);
            borrowed.AsSpan(0, count).CopyTo(buffer);
            return count;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(borrowed);
        }
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => inner.WriteAsync(buffer, cancellationToken);

    public override void Write(ReadOnlySpan<byte> buffer) => inner.Write(buffer);

    public override void Flush() => inner.Flush();

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override async ValueTask DisposeAsync()
    {
        await inner.DisposeAsync();
        await base.DisposeAsync();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }
}
