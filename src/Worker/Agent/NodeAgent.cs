using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;

namespace Orchestrator.Worker.Agent;

/// <summary>
/// A node's agent: holds a session with the dispatcher, gives each task its runner, and keeps running what it has when the session breaks.
/// Runs on its caller's synchronisation context.
/// </summary>
internal sealed class NodeAgent(IDispatcher dispatcher, ITaskExecutor executor, AgentOptions options, TimeProvider time, ILogger<NodeAgent> log)
{
    private static readonly TimeSpan FirstHeartbeat = TimeSpan.FromSeconds(1);

    private readonly Dictionary<TaskId, (TaskRunner Runner, Task Loop)> runners = [];
    private readonly StatusReporter reporter = new(dispatcher, options, time, log);
    private readonly TaskRecords records = new(options.RecordsRoot);
    private readonly ConcurrentQueue<TaskRunner> ended = [];
    private readonly LedAddresses led = new(time);
    private EndpointTable? endpoints;
    private NodePayloads payloads = NodePayloads.None;

    /// <summary>Runs until cancelled; containers run on afterwards.</summary>
    internal async Task RunAsync(CancellationToken stop)
    {
        using var slots = new SemaphoreSlim(options.MostParallel);
        var services = new TaskRunnerServices(executor, reporter, records, led, options, slots, time, log);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var reporting = reporter.RunAsync(ends.Token);
        try
        {
            var found = records.Load();
            foreach (var task in found)
                Begin(task, services, adopted: true, ends.Token);
            if (found.Count > 0)
                log.TasksTakenOver(found.Count);
            await HoldSessionsAsync(services, ends.Token);
        }
        finally
        {
            ends.Cancel();
            await Task.WhenAll([reporting, .. runners.Values.Select(r => r.Loop)])
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
    }

    private async Task HoldSessionsAsync(TaskRunnerServices services, CancellationToken stop)
    {
        var attempt = 0;
        while (true)
        {
            string reason;
            try
            {
                var applied = await HoldSessionAsync(services, stop);
                attempt = applied ? 0 : attempt;
                reason = "the manager ended it";
            }
            catch (Exception e) when (!stop.IsCancellationRequested)
            {
                reason = e.Message;
            }

            stop.ThrowIfCancellationRequested();
            var delay = options.Reconnect.Delay(++attempt, options.Jitter());
            log.SessionBroke(reason, delay);
            await Task.Delay(delay, time, stop);
        }
    }

    /// <summary>True when at least one assignment came: the dispatcher was there.</summary>
    private async Task<bool> HoldSessionAsync(TaskRunnerServices services, CancellationToken stop)
    {
        using var session = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task? heart = null;
        var last = 0ul;
        try
        {
            var request = new SessionRequest { NodeId = options.Node, Description = options.Description, Address = options.Address };
            await foreach (var assignments in dispatcher.SessionAsync(request, session.Token))
            {
                if (heart is null)
                {
                    if (!assignments.Complete && !assignments.Partial)
                        throw new InvalidOperationException("the dispatcher's first message is not the whole set");
                    log.SessionOpen(assignments.SessionId);
                    await reporter.UseSessionAsync(assignments.SessionId, stop);
                    heart = BeatAsync(assignments.SessionId, session);
                    payloads = NodePayloads.None; // a session says everything anew
                }
                else if (assignments.Sequence != last + 1)
                {
                    throw new InvalidOperationException($"assignment {last + 1} was lost: {assignments.Sequence} came after {last}");
                }

                last = assignments.Sequence;
                payloads = payloads.After(assignments);
                if (!assignments.Partial)
                    await ApplyAsync(assignments, services, stop);
            }
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested && heart is not null)
        {
            session.Cancel();
            await heart; // the heartbeat's failure is the reason
        }
        finally
        {
            session.Cancel();
            if (heart is not null)
                await heart.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }

        return heart is not null;
    }

    private async Task BeatAsync(string id, CancellationTokenSource session)
    {
        var period = FirstHeartbeat * (1 - (options.Jitter() / 2)); // after a leader's end all nodes begin at once
        try
        {
            while (true)
            {
                await Task.Delay(period, time, session.Token);
                var reply = await dispatcher.HeartbeatAsync(new HeartbeatRequest { NodeId = options.Node, SessionId = id }, session.Token);
                period = reply.Period > TimeSpan.Zero ? reply.Period : FirstHeartbeat;
            }
        }
        catch (Exception) when (!session.IsCancellationRequested)
        {
            session.Cancel();
            throw;
        }
    }

    /// <summary>
    /// Order matters: networks before the tasks on them; names and backends before the stops, so that nobody is led to a task that is going
    /// (moby#30321).
    /// </summary>
    private async Task ApplyAsync(Assignments assignments, TaskRunnerServices services, CancellationToken stop)
    {
        while (ended.TryDequeue(out var gone))
        {
            if (runners.TryGetValue(gone.Id, out var entry) && entry.Runner == gone)
                runners.Remove(gone.Id);
        }

        executor.UsePayloads(payloads);
        if (assignments.Complete)
        {
            foreach (var task in assignments.Tasks.Where(t => runners.ContainsKey(t.Task.Id) && !t.Task.Status.State.IsTerminal()))
                await TryAsync("giving secrets and configs again", assignments.Sequence, () => executor.RestoreFilesAsync(task, stop), stop);
        }

        if (assignments.Networks is { } networks)
            await TryAsync("making networks", assignments.Sequence, () => executor.EnsureNetworksAsync(networks, stop), stop);

        foreach (var task in assignments.Tasks.Where(t => t.Task.DesiredState < TaskState.Shutdown))
        {
            if (runners.TryGetValue(task.Task.Id, out var known))
                await known.Runner.AssignAsync(task, drainFirst: false, stop);
            else
                Begin(task, services, adopted: false, stop);
        }

        var before = NetworkTables.Backends(endpoints);
        if (assignments.Endpoints is { } table && (endpoints is null || table.Version >= endpoints.Version))
        {
            await TryAsync("applying endpoints", assignments.Sequence, () => executor.ApplyEndpointsAsync(table, stop), stop);
            endpoints = table;
        }

        var after = NetworkTables.Backends(endpoints);
        led.Set(after);
        foreach (var task in assignments.Tasks.Where(t => t.Task.DesiredState >= TaskState.Shutdown))
        {
            if (runners.TryGetValue(task.Task.Id, out var known))
                await known.Runner.AssignAsync(task, known.Runner.Addresses.Any(a => before.Contains(a) && !after.Contains(a)), stop);
            else if (!task.Task.Status.State.IsTerminal())
                Begin(task, services, adopted: false, stop);
        }

        IEnumerable<TaskId> removed = assignments.RemovedTasks;
        if (assignments.Complete)
            removed = removed.Concat(runners.Keys.Except(assignments.Tasks.Select(t => t.Task.Id)));
        foreach (var id in removed.Distinct().ToList())
        {
            if (runners.TryGetValue(id, out var known))
                await known.Runner.RemoveAsync(stop);
        }

        if (assignments.Complete)
            await TryAsync("removing strays", assignments.Sequence, () => executor.RemoveStraysAsync(runners.Keys.ToHashSet(), stop), stop);
        await TryAsync("removing networks", assignments.Sequence, () => executor.PruneNetworksAsync(stop), stop);
    }

    private void Begin(TaskAssignment task, TaskRunnerServices services, bool adopted, CancellationToken stop)
    {
        var runner = new TaskRunner(services, task);
        runners[runner.Id] = (runner, RunToEndAsync(runner, adopted, stop));
    }

    private async Task RunToEndAsync(TaskRunner runner, bool adopted, CancellationToken stop)
    {
        await Task.Yield(); // all runners begin before the first one's first step
        await runner.RunAsync(adopted, stop);
        ended.Enqueue(runner);
        await TryAsync("removing networks", 0, () => executor.PruneNetworksAsync(stop), stop);
    }

    private async Task TryAsync(string work, ulong sequence, Func<Task> action, CancellationToken stop)
    {
        try
        {
            await action();
        }
        catch (Exception e) when (!stop.IsCancellationRequested)
        {
            log.AssignmentFailed(e, work, sequence);
        }
    }
}
