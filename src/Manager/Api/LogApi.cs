using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;

namespace Orchestrator.Manager.Api;

/// <summary><c>/services/{id}/logs</c> and <c>/tasks/{id}/logs</c>: what tasks wrote, each line with its task where asked.</summary>
internal sealed class LogApi(ClusterDoor door, TimeProvider time, ILogger log)
{
    internal void Map(ClusterRoutes router)
    {
        router.Map("GET", "/services/{id}/logs", r =>
        {
            var service = ClusterFind.Service(door.State, r.Argument("id"));
            return AnswerAsync(r, service.Spec.TaskTemplate.ContainerSpec?.Tty ?? false, t => t.ServiceId == service.Id);
        });
        router.Map("GET", "/tasks/{id}/logs", r =>
        {
            var task = ClusterFind.Task(door.State, r.Argument("id"));
            return AnswerAsync(r, task.Spec.ContainerSpec?.Tty ?? false, t => t.Id == task.Id);
        });
    }

    private async Task AnswerAsync(ApiRequest request, bool tty, Func<ServiceTask, bool> wanted)
    {
        var manager = door.Manager;
        var query = request.LogQuery(time.GetUtcNow());
        var details = request.Flag("details");
        var frames = await request.LogAsync(tty ? LogFraming.Raw : LogFraming.Multiplexed, request.Flag("timestamps"));
        var missing = new ConcurrentQueue<string>();
        var lines = query.Follow
            ? new LogFollower(manager.Cluster, manager.Logs, wanted, query, time, log).ReadAsync(request.Stop)
            : PastAsync(manager, wanted, query, missing, request.Stop);
        await frames.WriteAllAsync(
            lines, (line, frame) => frame.Write(line.Record, details ? Context(line.Task) : ""), request.Stop);
        if (!missing.IsEmpty)
            await frames.WriteErrorAsync($"Error grabbing logs: {LogText.Incomplete(missing)}", request.Stop);
    }

    /// <summary>By these three the stock client finds the task that wrote a line.</summary>
    private static string Context(ServiceTask task) => LogFrames.Details(
    [
        new("com.docker.swarm.node.id", task.NodeId.Value),
        new("com.docker.swarm.service.id", task.ServiceId.Value),
        new("com.docker.swarm.task.id", task.Id.Value),
    ]);

    private IAsyncEnumerable<TaskLine> PastAsync(
        RunningManager manager, Func<ServiceTask, bool> wanted, LogQuery query, ConcurrentQueue<string> missing, CancellationToken stop) =>
        LogMerge.ByTimeAsync(
            [.. manager.Cluster.Current.Tasks.Values.Where(t => LogText.HasLog(t) && wanted(t)).Select(t => OfTaskAsync(manager, t, query, missing, stop))], stop);

    /// <summary>One task's log that can't be read must not hide the others': why is told behind them.</summary>
    private async IAsyncEnumerable<TaskLine> OfTaskAsync(
        RunningManager manager, ServiceTask task, LogQuery query, ConcurrentQueue<string> missing, [EnumeratorCancellation] CancellationToken stop)
    {
        await using var records = manager.Logs.ReadAsync(task, query, stop).GetAsyncEnumerator(stop);
        while (true)
        {
            try
            {
                if (!await records.MoveNextAsync())
                    yield break;
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                log.TaskLogFailed(e, task.Id);
                missing.Enqueue($"task {TaskText.Name(task)}: {e.Message}");
                yield break;
            }

            yield return new TaskLine(task, records.Current);
        }
    }
}
