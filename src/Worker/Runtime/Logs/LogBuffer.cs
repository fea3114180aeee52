using System.Buffers;

namespace Orchestrator.Worker.Runtime.Logs;

/// <summary>Holds lines for a disk that is slower than the container (<c>mode=non-blocking</c>); what does not fit is refused.</summary>
internal sealed class LogBuffer : IDisposable
{
    internal delegate void Writer(ReadOnlySpan<byte> lines);

    private readonly long most;
    private readonly Writer write;
    private readonly Lock gate = new();
    private readonly SemaphoreSlim waiting = new(0, 1);
    private readonly Task draining;
    private ArrayBufferWriter<byte> filling = new();
    private ArrayBufferWriter<byte> emptying = new();
    private bool closed;

    internal LogBuffer(long most, Writer write)
    {
        this.most = most;
        this.write = write;
        draining = Task.Run(DrainAsync);
    }

    /// <summary>False: full, the lines are not taken. Lines that come alone fit always, as in Docker.</summary>
    internal bool Offer(ReadOnlySpan<byte> lines)
    {
        lock (gate)
        {
            if (filling.WrittenCount > 0 && filling.WrittenCount + lines.Length > most)
                return false;
            filling.Write(lines);
            if (waiting.CurrentCount == 0)
                waiting.Release();
            return true;
        }
    }

    /// <summary>Writes what is held and ends.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            closed = true;
            if (waiting.CurrentCount == 0)
                waiting.Release();
        }
        draining.GetAwaiter().GetResult();
        waiting.Dispose();
    }

    private async Task DrainAsync()
    {
        while (true)
        {
            await waiting.WaitAsync();
            bool last;
            lock (gate)
            {
                (filling, emptying) = (emptying, filling);
                last = closed;
            }
            write(emptying.WrittenSpan);
            emptying.ResetWrittenCount();
            if (last)
                return;
        }
    }
}
