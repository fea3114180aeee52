using Orchestrator.Manager.State;
using Orchestrator.Shared.Hosting;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Shared.Rpc;

namespace Orchestrator.Manager.Dispatch;

/// <summary>The dispatcher's own two loops: reports into the log, silent nodes down.</summary>
internal sealed partial class Dispatcher
{
    /// <summary>A turn of the watch that comes so much too late was not the nodes' doing: the machine stood still, or had no time for this process.</summary>
    private static readonly TimeSpan Stall = TimeSpan.FromMilliseconds(500);

    private readonly Mailbox<PendingReport> reports = new(1024, WhenFull.Wait);

    /// <summary>Serves sessions for one term of leadership.</summary>
    internal async Task RunAsync(CancellationToken stop)
    {
        using var term = CancellationTokenSource.CreateLinkedTokenSource(stop);
        lock (guard)
        {
            heartbeats.Clear();
            var grace = Now + Heartbeats.Grace(Period);
            foreach (var node in cluster.Current.Nodes.Values.Where(n => n.Status.State != NodeState.Down))
                heartbeats.Expect(node.Id, grace);
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
        var own = ReportRule.Own(cluster.Current, report);
        if (own.Updates.Count == 0)
            return new();
        var pending = new PendingReport(own);
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
        TimeSpan? awake = null;
        while (true)
        {
            var now = Now;
            IReadOnlyList<NodeId> late;
            TimeSpan? next;
            lock (guard)
            {
                if (awake is { } planned && now - planned > Stall)
                {
                    log.StoodStill((now - planned).TotalSeconds);
                    heartbeats.Excuse(now - planned);
                }

                late = heartbeats.TakeLate(now);
                foreach (var node in late)
                {
                    if (sessions.Remove(node, out var session))
                        session.End();
                }
            }

            foreach (var node in late)
                log.NodeDown(node);
            if (late.Count > 0 && !await DownAsync(late, stop))
            {
                lock (guard)
                {
                    foreach (var node in late)
                        heartbeats.Expect(node, now + Period); // not stored: judged again
                }
            }

            lock (guard)
                next = heartbeats.Next;

            // No deadline can come before a period from now: a new session's is three of them away.
            now = Now;
            var wait = next is { } due && due - now < Period ? due - now : Period;
            // A delay counts whole milliseconds: rounded down it would spin.
            wait = TimeSpan.FromMilliseconds(Math.Max(1, Math.Ceiling(wait.TotalMilliseconds)));
            awake = now + wait;
            await Task.Delay(wait, time, stop);
        }
    }

    /// <summary>One entry for all that were lost at once, as with a rack: their tasks are then placed as one.</summary>
    private async Task<bool> DownAsync(IReadOnlyList<NodeId> nodes, CancellationToken stop)
    {
        var at = time.GetUtcNow();
        try
        {
            await cluster.ProposeAsync(
                new Turn([.. nodes.Select(n => new SetNodeState(n, NodeState.Down, Silent) { At = at })]) { At = at }, stop);
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
