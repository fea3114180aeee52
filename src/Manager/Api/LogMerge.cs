using System.Runtime.CompilerServices;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;

namespace Orchestrator.Manager.Api;

/// <summary>A line and the task that wrote it.</summary>
internal readonly record struct TaskLine(ServiceTask Task, LogRecord Record);

/// <summary>Makes one stream, in order of time, from streams that are each in order of time.</summary>
internal static class LogMerge
{
    internal static async IAsyncEnumerable<TaskLine> ByTimeAsync(
        IReadOnlyList<IAsyncEnumerable<TaskLine>> sources, [EnumeratorCancellation] CancellationToken stop)
    {
        List<IAsyncEnumerator<TaskLine>> open = [.. sources.Select(s => s.GetAsyncEnumerator(stop))];
        try
        {
            var heads = new PriorityQueue<IAsyncEnumerator<TaskLine>, (DateTimeOffset Time, int Source)>();
            var firsts = open.ConvertAll(source => source.MoveNextAsync().AsTask()); // all at once: silent nodes are waited for together
            await Task.WhenAll(firsts);
            for (var i = 0; i < open.Count; i++)
            {
                if (await firsts[i])
                    heads.Enqueue(open[i], (open[i].Current.Record.Time, i));
            }

            while (heads.TryDequeue(out var first, out var key))
            {
                yield return first.Current;
                if (await first.MoveNextAsync())
                    heads.Enqueue(first, (first.Current.Record.Time, key.Source));
            }
        }
        finally
        {
            foreach (var source in open)
                await source.DisposeAsync();
        }
    }
}
