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

    /// <summary>Notes which tasks have ended already; to be called before the change that is waited for.</summary>
    internal async Task NoteEndedAsync(IReadOnlyDictionary<string, IReadOnlyList<string>> filters, CancellationToken stop)
    {
        var tasks = await call.Client.GetAsync<IReadOnlyList<ServiceTask>>(
            EngineClient.Query("/tasks", ("filters", EngineClient.Filters(filters))), stop);
        _before.UnionWith(tasks.Where(t => t.Status.State.IsTerminal()).Select(t => t.Id));
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
            await lines.ShowAsync(seen);
            if (seen.FirstOrDefault(s => s.Outcome == Outcome.Failed) is { } failed)
                return failed.Reason;
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
            s,
            [.. tasks.Where(t => t.ServiceId == s.Id)],
            _before,
            blockedSince.TryGetValue(s.Spec.Name, out var since) ? call.Shell.Time.GetElapsedTime(since) : TimeSpan.Zero,
            Grace))];
    }
}
