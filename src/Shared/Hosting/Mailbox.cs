using System.Threading.Channels;

namespace Orchestrator.Shared.Hosting;

/// <summary>What happens to a message that finds its mailbox full.</summary>
public enum WhenFull
{
    /// <summary>The sender waits (<see cref="Mailbox{T}.SendAsync"/>); <see cref="Mailbox{T}.TrySend"/> says no.</summary>
    Wait,

    /// <summary>The message is thrown away and counted: for what the sender repeats anyway.</summary>
    DropNewest,

    /// <summary>The oldest waiting message is thrown away and counted: for what the newest one makes superfluous.</summary>
    DropOldest,
}

/// <summary>The bounded inbox of one loop: many senders, one reader.</summary>
public sealed class Mailbox<T>
{
    private readonly Channel<T> channel;
    private readonly WhenFull policy;
    private long dropped;

    public Mailbox(int capacity, WhenFull whenFull)
    {
        policy = whenFull;
        channel = Channel.CreateBounded<T>(
            new BoundedChannelOptions(capacity)
            {
                SingleReader = true,
                FullMode = whenFull == WhenFull.DropOldest ? BoundedChannelFullMode.DropOldest : BoundedChannelFullMode.Wait,
            },
            _ => Interlocked.Increment(ref dropped));
    }

    /// <summary>Messages thrown away by the policy so far.</summary>
    public long Dropped => Interlocked.Read(ref dropped);

    public ChannelReader<T> Reader => channel.Reader;

    /// <summary>Puts the message in, waiting for room where the policy says so. False when the mailbox is closed or the message was dropped.</summary>
    public ValueTask<bool> SendAsync(T message, CancellationToken stop) =>
        stop.IsCancellationRequested ? ValueTask.FromCanceled<bool>(stop)
        : policy != WhenFull.Wait ? new(TrySend(message))
        : channel.Writer.TryWrite(message) ? new(true)
        : WhenRoomAsync(message, stop);

    private async ValueTask<bool> WhenRoomAsync(T message, CancellationToken stop)
    {
        while (await channel.Writer.WaitToWriteAsync(stop))
        {
            if (channel.Writer.TryWrite(message))
                return true;
        }

        return false;
    }

    /// <summary>Puts the message in if there is room. False when it was not taken.</summary>
    public bool TrySend(T message)
    {
        if (channel.Writer.TryWrite(message))
            return true;
        if (policy == WhenFull.DropNewest)
            Interlocked.Increment(ref dropped);
        return false;
    }

    /// <summary>Takes no more messages; the reader drains what is there and then ends.</summary>
    public void Close() => channel.Writer.TryComplete();
}
