using Orchestrator.Manager.State;
using Orchestrator.Shared.Hosting;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Shared.Rpc;

namespace Orchestrator.Manager.Dispatch;

/// <summary>The dispatcher's own two loops: reports into the log, silent nodes down.</summary>
internal sealed partial class Dispatcher
{
    /// <summary>What a new leader waits for nodes that it has not heard of yet.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    private readonly Mailbox<PendingReport> reports = new(1024, WhenFull.Wait);

    /// <summary>Serves sessions for one term of leadership.</summary>
    internal async Task RunAsync(CancellationToken stop)
    {
        using var term = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var now = time.GetUtcNow();
        lock (guard)
        {
            heartbeats.Clear();
            foreach (var node in cluster.Current.Nodes.Values.Where(n => n.Status.State != NodeState.Down))
                heartbeats.Expect(node.Id, now + Grace);
            running = term.Token;
        }

        try
        {
            var loops = new[] { StoreReportsAsync(term.Token), WatchHeartbeatsAsync(term.Token) };
            await await Task.WhenAny(loops); // neither ends by itself: the first that does, failed or was stopped
        }
        finally
        {
            StopRunning();
            term.Cancel();
            while (reports.Reader.TryRead(out var left))
                left.Done.TrySetException(NotLeading());
        }
    }

    private void StopRunning()
    {
        lock (guard)
            running = null;
    }

    public async Task<TaskStatusReply> ReportAsync(TaskStatusReport report, CancellationToken stop)
    {
        lock (guard)
            Known(report.NodeId, report.SessionId);
        var pending = new PendingReport(report);
        await reports.SendAsync(pending, stop);
        using var cancel = stop.UnsafeRegister(static (done, token) => ((TaskCompletionSource)done!).TrySetCanceled(token), pending.Done);
        await pending.Done.Task;
        return new();
    }

    /// <summary>Everything that waits goes into one entry; while it is written the next reports gather. No time is spent waiting for more.</summary>
    private async Task StoreReportsAsync(CancellationToken stop)
    {
        while (await reports.Reader.WaitToReadAsync(stop))
        {
            var batch = new List<PendingReport>();
            while (reports.Reader.TryRead(out var report))
                batch.Add(report);
            var command = new ReportTasks([.. batch.Select(p => new NodeReport(p.Report.NodeId, p.Report.Updates))]) { At = time.GetUtcNow() };
            try
            {
                await cluster.ProposeAsync(command, stop);
                foreach (var pending in batch)
                    pending.Done.TrySetResult();
            }
            catch (ClusterUnavailableException failure)
            {
                log.ReportsDropped(batch.Count, failure.Message);
                foreach (var pending in batch)
                    pending.Done.TrySetException(new RpcException(RpcStatus.Unavailable, failure.Message, failure));
            }
            catch (OperationCanceledException)
            {
                foreach (var pending in batch)
                    pending.Done.TrySetException(NotLeading());
                throw;
            }
        }
    }

    private async Task WatchHeartbeatsAsync(CancellationToken stop)
    {
        while (true)
        {
            var now = time.GetUtcNow();
            IReadOnlyList<NodeId> late;
            DateTimeOffset? next;
            lock (guard)
            {
                late = heartbeats.TakeLate(now);
                next = heartbeats.Next;
                foreach (var node in late)
                {
                    if (sessions.Remove(node, out var session))
                        session.End();
                }
            }

            foreach (var node in late)
            {
                log.NodeDown(node);
                if (await DownAsync(node, now, stop))
                    continue;
                lock (guard)
                    heartbeats.Expect(node, now + Period); // not stored: judged again
            }

            // No deadline can come before a period from now: a new session's is three of them away.
            var wait = next is { } due && due - now < Period ? due - now : Period;
            // A delay counts whole milliseconds: rounded down it would spin.
            await Task.Delay(TimeSpan.FromMilliseconds(Math.Max(1, Math.Ceiling(wait.TotalMilliseconds))), time, stop);
        }
    }

    private async Task<bool> DownAsync(NodeId node, DateTimeOffset now, CancellationToken stop)
    {
        try
        {
            await cluster.ProposeAsync(new SetNodeState(node, NodeState.Down, "heartbeat failure for node in \"ready\" state") { At = now }, stop);
            return true;
        }
        catch (ClusterUnavailableException)
        {
            return false;
        }
    }

    private sealed class PendingReport(TaskStatusReport report)
    {
        internal TaskStatusReport Report { get; } = report;
        internal TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
