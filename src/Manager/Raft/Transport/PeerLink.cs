using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Orchestrator.Manager.Raft.Core;
using Orchestrator.Shared.Hosting;
using Orchestrator.Shared.Rpc;

namespace Orchestrator.Manager.Raft.Transport;

/// <summary>The way to one peer: a bounded queue, the stream that empties it, and its reconnects.</summary>
/// <param name="introduction">What every stream begins with.</param>
internal sealed class PeerLink(
    PeerId peer, RpcChannelOptions options, RpcCallOptions introduction, TimeProvider time, ILogger log, Func<double> jitter, Action<PeerEvent> tell) : IAsyncDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(3);

    // Full means that the peer is slow or gone: the newest message is dropped and counted, and Raft sends it again.
    private readonly Mailbox<Message> queue = new(1024, WhenFull.DropNewest);
    private readonly CancellationTokenSource stopping = new(); // never disposed: who hurries may come late
    private readonly RpcChannel channel = new(options);
    private readonly Backoff backoff = new() { First = TimeSpan.FromMilliseconds(50), Most = TimeSpan.FromSeconds(2) };
    private Task running = Task.CompletedTask;

    internal long Dropped => queue.Dropped;

    internal void Start() => running = StreamAsync(stopping.Token);

    internal void Send(Message message)
    {
        if (!queue.TrySend(message))
            tell(message.Kind == MessageKind.Snapshot ? new PeerEvent.SnapshotSent(peer, Arrived: false) : new PeerEvent.Unreachable(peer));
    }

    /// <summary>What is queued or on its way is given up.</summary>
    internal void Hurry() => stopping.Cancel();

    /// <summary>Takes no more messages; what is queued has a moment to leave.</summary>
    public async ValueTask DisposeAsync()
    {
        queue.Close();
        using (time.CreateTimer(_ => Hurry(), null, Grace, Timeout.InfiniteTimeSpan))
            await running;
        channel.Dispose();
    }

    private async Task StreamAsync(CancellationToken stop)
    {
        for (var attempt = 1; await HasAnyAsync(stop); attempt++)
        {
            var began = time.GetTimestamp();
            string reason;
            try
            {
                // The queue keeps what waits for a connection; what was in flight is lost, and Raft sends it again.
                await channel.ClientStreamAsync(RaftMethods.Messages, OutgoingAsync(stop), introduction, stop);
                if (queue.Reader.Completion.IsCompleted)
                    return; // the link is taken down, and everything has left
                reason = "it ended the stream";
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (RpcException lost)
            {
                reason = lost.Detail;
            }

            if (time.GetElapsedTime(began) > backoff.Most)
                attempt = 1;
            tell(new PeerEvent.Broken(peer));
            var delay = backoff.Delay(attempt, jitter());
            if (attempt == 1)
                log.PeerUnreachable(peer, reason, delay);
            await Task.Delay(delay, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
    }

    /// <summary>Waits for a message: nobody connects to say nothing. False when the link is taken down.</summary>
    private async Task<bool> HasAnyAsync(CancellationToken stop)
    {
        try
        {
            return await queue.Reader.WaitToReadAsync(stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return false;
        }
    }

    private async IAsyncEnumerable<Message> OutgoingAsync(CancellationToken stop, [EnumeratorCancellation] CancellationToken callEnds = default)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, callEnds);
        await foreach (var message in queue.Reader.ReadAllAsync(either.Token))
            yield return message;
    }
}
