using Orchestrator.Cli.Client;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Progress;

/// <summary>Waits, showing progress, until every named service runs as its spec says, or one will not.</summary>
internal sealed class ServiceWait(Invocation call)
{
    /// <summary>A task that starts and dies at once must not count as running.</summary>
    private static readonly TimeSpan Steady = TimeSpan.FromSeconds(1);

    /// <summary>A place may come free; after this it is a failure to tell.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    private readonly HashSet<TaskId> _before = [];
    private readonly Dictionary<ServiceId, DateTimeOffset?> _updates = [];

    /// <summary>Waits without a word.</summary>
    internal bool Quiet { get; init; }

    /// <summary>What is waited for is a rollback: it is no failure then.</summary>
    internal bool IsRollback { get; init; }

    /// <summary>Notes which tasks and updates have ended already; to be called before the change that is waited for.</summary>
    internal async Task NoteAsync(IReadOnlyDictionary<string, IReadOnlyList<string>> filters, CancellationToken stop)
    {
        var tasks = await call.Client.GetAsync<IReadOnlyList<ServiceTask>>(
            EngineClient.Query("/tasks", ("filters", EngineClient.Filters(filters))), stop);
        _before.UnionWith(tasks.Where(t => t.Status.State.IsTerminal()).Select(t => t.Id));
        foreach (var service in await call.Client.GetAsync<IReadOnlyList<Service>>("/services", stop))
            _updates[service.Id] = service.UpdateStatus?.StartedAt;
    }

    /// <summary>Null when all are up; otherwise the reason of the first that failed.</summary>
    internal async Task<string?> RunAsync(IReadOnlyList<string> serviceIds, CancellationToken stop)
    {
        var lines = new ProgressLines(call.Shell);
        var blockedSince = new Dictionary<string, long>(StringComparer.Ordinal);
        long? steadySince = null;
        var time = call.Shell.Time;
        var began = time.GetTimestamp();
        while (serviceIds.Count > 0)
        {
            var seen = await LookAsync(serviceIds, blockedSince, stop);
            if (!Quiet)
                await lines.ShowAsync(seen);
            if (seen.FirstOrDefault(s => s.Outcome == Outcome.Failed) is { } failed)
                return await ExplainAsync(failed, stop);
            foreach (var service in seen)
            {
                if (!service.Blocked)
                    blockedSince.Remove(service.Name);
                else
                    blockedSince.TryAdd(service.Name, time.GetTimestamp());
            }
            steadySince = seen.All(s => s.Outcome == Outcome.Running) ? steadySince ?? time.GetTimestamp() : null;
            if (steadySince is { } since && time.GetElapsedTime(since) >= Steady)
                return null;
            await Task.Delay(Pause(time.GetElapsedTime(began)), time, stop);
        }
        return null;
    }

    /// <summary>Tasks of an update that was paused or rolled back are not of the service's spec any more: they say why.</summary>
    private async Task<string?> ExplainAsync(ServiceProgress failed, CancellationToken stop)
    {
        var tasks = await call.Client.GetAsync<IReadOnlyList<ServiceTask>>(
            EngineClient.Query("/tasks", ("filters", EngineClient.Filters(Flags.Filters(null, ("service", failed.Name))))), stop);
        var cause = Convergence.Cause(tasks, _before);
        return cause is null || failed.Reason?.Contains(cause, StringComparison.Ordinal) == true ? failed.Reason : $"{failed.Reason}: {cause}";
    }

    private static TimeSpan Pause(TimeSpan waited) => TimeSpan.FromMilliseconds(waited.TotalSeconds < 5 ? 50 : waited.TotalSeconds < 60 ? 200 : 1000);

    private async Task<IReadOnlyList<ServiceProgress>> LookAsync(
        IReadOnlyList<string> ids, Dictionary<string, long> blockedSince, CancellationToken stop)
    {
        var services = await call.Client.GetAsync<IReadOnlyList<Service>>(EngineClient.Query("/services", ("status", "true"),
            ("filters", EngineClient.Filters(new Dictionary<string, IReadOnlyList<string>> { ["id"] = ids }))), stop);
        var tasks = await call.Client.GetAsync<IReadOnlyList<ServiceTask>>(EngineClient.Query("/tasks",
            ("filters", EngineClient.Filters(new Dictionary<string, IReadOnlyList<string>> { ["service"] = ids, ["_up-to-date"] = ["true"] }))), stop);
        foreach (var missing in ids.Where(id => !services.Any(s => s.Id.Value == id)))
            throw new CommandException($"service {missing} was removed while it was waited for");
        return [.. services.OrderBy(s => s.Spec.Name, StringComparer.Ordinal).Select(s => Convergence.Judge(
            Fresh(s),
            [.. tasks.Where(t => t.ServiceId == s.Id)],
            _before,
            blockedSince.TryGetValue(s.Spec.Name, out var since) ? call.Shell.Time.GetElapsedTime(since) : TimeSpan.Zero,
            Grace,
            IsRollback))];
    }

    /// <summary>An update that had ended before is old news.</summary>
    private Service Fresh(Service service) => service.UpdateStatus is { State: "completed" or "rollback_completed" } update
        && _updates.TryGetValue(service.Id, out var before) && before == update.StartedAt ? service with { UpdateStatus = null } : service;

}
