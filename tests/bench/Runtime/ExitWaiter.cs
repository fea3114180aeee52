using System.Collections.Concurrent;
using Orchestrator.Worker.Runtime;

namespace Orchestrator.Tests.Bench.Runtime;

/// <summary>Completes a task when the container's exit is seen.</summary>
internal sealed class ExitWaiter
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource<ContainerExit>> waiting = new();

    internal Task<ContainerExit> For(string id) =>
        waiting.GetOrAdd(id, _ => new TaskCompletionSource<ContainerExit>(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

    internal async Task WatchAsync(IRuntime runtime, CancellationToken stop)
    {
        try
        {
            await foreach (var exit in runtime.WatchExitsAsync(stop))
            {
                if (waiting.TryRemove(exit.Id, out var waiter))
                    waiter.SetResult(exit);
            }
        }
        catch (OperationCanceledException)
        {
            // the run is over
        }
    }
}
