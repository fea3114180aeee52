using System.Runtime.CompilerServices;
using System.Text;
using System.Threading.Channels;
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
        var lines = query.Follow ? FollowAsync(manager, wanted, query, request.Stop) : PastAsync(manager, wanted, query, request.Stop);
        await frames.WriteAllAsync(
            lines, (line, frame) => frame.Write(line.Record, details ? Context(line.Task) : ""), request.Stop);
    }

    /// <summary>By these three the stock client finds the task that wrote a line.</summary>
    private static string Context(ServiceTask task) => LogFrames.Details(
    [
        new("com.docker.swarm.node.id", task.NodeId.Value),
        new("com.docker.swarm.service.id", task.ServiceId.Value),
        new("com.docker.swarm.task.id", task.Id.Value),
    ]);

    private IAsyncEnumerable<TaskLine> PastAsync(RunningManager manager, Func<ServiceTask, bool> wanted, LogQuery query, CancellationToken stop) =>
        LogMerge.ByTimeAsync(
            [.. manager.Cluster.Current.Tasks.Values.Where(t => HasLog(t) && wanted(t)).Select(t => OfTaskAsync(manager, t, query, stop))], stop);

    /// <summary>Every present task's stream at once, and those of tasks that come; ends when the client leaves.</summary>
    private async IAsyncEnumerable<TaskLine> FollowAsync(
        RunningManager manager, Func<ServiceTask, bool> wanted, LogQuery query, [EnumeratorCancellation] CancellationToken stop)
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var lines = Channel.CreateBounded<TaskLine>(256); // full: the readers wait for the client
        var readers = new Dictionary<TaskId, Task>();
        var watching = WatchAsync();
        try
        {
            await foreach (var line in lines.Reader.ReadAllAsync(stop))
                yield return line;
        }
        finally
        {
            await leaving.CancelAsync();
            await watching;
        }

        async Task WatchAsync()
        {
            try
            {
                // The watch begins before the state is read, so that no task falls between the two.
                await using var changes = manager.Cluster.WatchAsync(leaving.Token).GetAsyncEnumerator(leaving.Token);
                var change = changes.MoveNextAsync();
                Begin(manager.Cluster.Current.Tasks.Values);
                while (await change)
                {
                    if (changes.Current.Lagged)
                        Begin(manager.Cluster.Current.Tasks.Values);
                    else if (changes.Current.After is ServiceTask task)
                        Begin([task]);
                    change = changes.MoveNextAsync();
                }

                lines.Writer.TryComplete();
            }
            catch (OperationCanceledException) when (leaving.IsCancellationRequested)
            {
                lines.Writer.TryComplete();
            }
            catch (Exception failure)
            {
                lines.Writer.TryComplete(failure);
            }
            finally
            {
                await Task.WhenAll(readers.Values);
            }
        }

        void Begin(IEnumerable<ServiceTask> tasks)
        {
            foreach (var task in tasks)
            {
                if (HasLog(task) && wanted(task) && !readers.ContainsKey(task.Id))
                    readers.Add(task.Id, PumpAsync(task));
            }
        }

        async Task PumpAsync(ServiceTask task)
        {
            try
            {
                await foreach (var line in OfTaskAsync(manager, task, query, leaving.Token))
                    await lines.Writer.WriteAsync(line, leaving.Token);
            }
            catch (OperationCanceledException) when (leaving.IsCancellationRequested)
            {
                // The client left.
            }
            catch (ChannelClosedException)
            {
                // The watch failed; its failure is what the reader gets.
            }
        }
    }

    /// <summary>A task that was never given a container has written nothing.</summary>
    private static bool HasLog(ServiceTask task) => task.NodeId.Value is { Length: > 0 } && task.Status.State >= TaskState.Starting
        && task.Status.ContainerStatus is { ContainerId.Length: > 0 };

    private async IAsyncEnumerable<TaskLine> OfTaskAsync(
        RunningManager manager, ServiceTask task, LogQuery query, [EnumeratorCancellation] CancellationToken stop)
    {
        await using var records = manager.Logs.ReadAsync(task, query, stop).GetAsyncEnumerator(stop);
        while (true)
        {
            LogRecord? failed = null;
            try
            {
                if (!await records.MoveNextAsync())
                    yield break;
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                // One task's log that cannot be read must not hide the others'.
                log.TaskLogFailed(e, task.Id);
                failed = new LogRecord
                {
                    Time = time.GetUtcNow(),
                    Stream = "stderr",
                    Line = Encoding.UTF8.GetBytes($"[orch: the log of this task cannot be read: {e.Message}]\n"),
                };
            }

            yield return new TaskLine(task, failed ?? records.Current);
            if (failed is not null)
                yield break;
        }
    }
}
