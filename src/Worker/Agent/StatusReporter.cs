using Microsoft.Extensions.Logging;
using Orchestrator.Shared.Hosting;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;

namespace Orchestrator.Worker.Agent;

/// <summary>
/// Tells the manager how tasks fare. One report is under way at a time and what comes meanwhile goes with the next, the newest state of a
/// task only: no delay when idle, no flood when busy. What is not acknowledged is told again, also of a task that has left this node: the manager
/// forgets one when it hears that it ended, and passes over what it has forgotten.
/// </summary>
internal sealed class StatusReporter(IDispatcher dispatcher, AgentOptions options, TimeProvider time, ILogger log)
{
    private readonly Mailbox<Message> inbox = new(4096, WhenFull.Wait);
    private readonly Dictionary<TaskId, ServiceTaskStatus> pending = [];
    private string? session;

    internal ValueTask<bool> TellAsync(TaskId task, ServiceTaskStatus status, CancellationToken stop) =>
        inbox.SendAsync(new Message(new TaskStatusUpdate { TaskId = task, Status = status }, null), stop);

    /// <summary>Reports go with this session from now on.</summary>
    internal ValueTask<bool> UseSessionAsync(string id, CancellationToken stop) => inbox.SendAsync(new Message(null, id), stop);

    internal async Task RunAsync(CancellationToken stop)
    {
        var attempt = 0;
        while (await inbox.Reader.WaitToReadAsync(stop))
        {
            Drain();
            while (session is { } id && pending.Count > 0)
            {
                var sent = pending.ToArray();
                try
                {
                    await dispatcher.ReportAsync(
                        new TaskStatusReport
                        {
                            NodeId = options.Node,
                            SessionId = id,
                            Updates = [.. sent.Select(s => new TaskStatusUpdate { TaskId = s.Key, Status = s.Value })],
                        },
                        stop);
                    attempt = 0;
                    Drain();
                    foreach (var (task, status) in sent)
                    {
                        if (pending.TryGetValue(task, out var now) && ReferenceEquals(now, status))
                            pending.Remove(task);
                    }
                }
                catch (Exception e) when (!stop.IsCancellationRequested)
                {
                    var delay = options.Retry.Delay(++attempt, options.Jitter());
                    log.ReportFailed(sent.Length, e.Message, delay);
                    await PauseAsync(id, delay, stop);
                    if (session != id)
                        attempt = 0;
                }
            }
        }
    }

    /// <summary>Until the time is over or another session is there: to that one everything can be told at once.</summary>
    private async Task PauseAsync(string failed, TimeSpan delay, CancellationToken stop)
    {
        using var over = new CancellationTokenSource(delay, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, over.Token);
        try
        {
            do
                Drain();
            while (session == failed && await inbox.Reader.WaitToReadAsync(either.Token));
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // It is time.
        }
    }

    private void Drain()
    {
        while (inbox.Reader.TryRead(out var message))
        {
            if (message.Update is { } update)
                pending[update.TaskId] = update.Status;
            if (message.Session is { } id)
                session = id;
        }
    }

    private sealed record Message(TaskStatusUpdate? Update, string? Session);
}
