using System.Runtime.CompilerServices;
using System.Text;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;

namespace Orchestrator.Manager.Api;

/// <summary>Every present task's stream at once, and those of tasks that come; ends when the client leaves.</summary>
internal sealed class LogFollower(ICluster cluster, ITaskLogs logs, Func<ServiceTask, bool> wanted, LogQuery query, TimeProvider time, ILogger log)
{
    /// <summary>Between two questions to a node that does not answer.</summary>
    private static readonly TimeSpan AskAgain = TimeSpan.FromSeconds(2);

    private readonly Channel<TaskLine> lines = Channel.CreateBounded<TaskLine>(256); // full: the readers wait for the client
    private readonly Dictionary<TaskId, Task> readers = [];

    internal async IAsyncEnumerable<TaskLine> ReadAsync([EnumeratorCancellation] CancellationToken stop)
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var watching = WatchAsync(leaving.Token);
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
    }

    private async Task WatchAsync(CancellationToken leaving)
    {
        try
        {
            // The watch begins before the state is read, so that no task falls between the two.
            await using var changes = cluster.WatchAsync(leaving).GetAsyncEnumerator(leaving);
            var change = changes.MoveNextAsync();
            Begin(cluster.Current.Tasks.Values, leaving);
            while (await change)
            {
                if (changes.Current.Lagged)
                    Begin(cluster.Current.Tasks.Values, leaving);
                else if (changes.Current.After is ServiceTask task)
                    Begin([task], leaving);
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

    private void Begin(IEnumerable<ServiceTask> tasks, CancellationToken leaving)
    {
        foreach (var task in tasks)
        {
            if (LogText.HasLog(task) && wanted(task) && !readers.ContainsKey(task.Id))
                readers.Add(task.Id, PumpAsync(task, leaving));
        }
    }

    private async Task PumpAsync(ServiceTask task, CancellationToken leaving)
    {
        try
        {
            var place = new LogPlace(query);
            var told = false;
            while (true)
            {
                try
                {
                    await foreach (var record in logs.ReadAsync(task, place.Next(), leaving))
                    {
                        if (!place.Passes(record))
                            continue;
                        told = false;
                        await lines.Writer.WriteAsync(new(task, record), leaving);
                    }

                    return;
                }
                catch (Exception failure) when (failure is not (OperationCanceledException or ChannelClosedException))
                {
                    if (!told)
                        await TellAsync(task, failure, leaving);
                    told = true;
                    if (failure is not NodeSilentException)
                        return;
                }

                await Task.Delay(AskAgain, time, leaving);
                if (!cluster.Current.Tasks.ContainsKey(task.Id) || !cluster.Current.Nodes.ContainsKey(task.NodeId))
                    return;
            }
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

    /// <summary>Among the lines: an error's frame would end the stream of the others.</summary>
    private ValueTask TellAsync(ServiceTask task, Exception failure, CancellationToken leaving)
    {
        log.TaskLogFailed(failure, task.Id);
        var sentence = LogText.Incomplete([$"task {TaskText.Name(task)}: {failure.Message}"]);
        return lines.Writer.WriteAsync(
            new(task, new() { Time = time.GetUtcNow(), Stream = "stderr", Line = Encoding.UTF8.GetBytes($"[orch: {sentence}]\n") }), leaving);
    }
}
