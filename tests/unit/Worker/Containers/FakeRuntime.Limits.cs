using System.Collections.Concurrent;
using Orchestrator.Worker.Runtime;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Tests.Unit.Worker.Containers;

/// <summary>Containers that stand still and are given limits: a list of what was asked.</summary>
internal sealed partial class FakeRuntime
{
    internal ConcurrentQueue<(string Id, OciResources Resources)> Updates { get; } = new();

    /// <summary>Ids of containers that run out of memory.</summary>
    internal System.Threading.Channels.Channel<string> OutOfMemory { get; } = System.Threading.Channels.Channel.CreateUnbounded<string>();

    /// <summary>What the kernel says to new limits.</summary>
    internal RuntimeException? UpdateRefusal { get; set; }

    public Task PauseAsync(string id, CancellationToken stop) => SetPausedAsync(id, true);

    public Task ResumeAsync(string id, CancellationToken stop) => SetPausedAsync(id, false);

    public Task<IReadOnlyList<string>> UpdateAsync(string id, OciResources resources, CancellationToken stop)
    {
        if (UpdateRefusal is not null)
            throw UpdateRefusal;
        Updates.Enqueue((id, resources));
        return Task.FromResult<IReadOnlyList<string>>([]);
    }

    public Task<ContainerUsage> ReadUsageAsync(string id, CancellationToken stop) => Task.FromResult(new ContainerUsage { Id = id });

    public Task<IReadOnlyList<int>> ListProcessesAsync(string id, CancellationToken stop) => Task.FromResult<IReadOnlyList<int>>([]);

    public IAsyncEnumerable<string> WatchOutOfMemoryAsync(CancellationToken stop) => OutOfMemory.Reader.ReadAllAsync(stop);

    private Task SetPausedAsync(string id, bool paused)
    {
        lock (guard)
        {
            var record = containers.TryGetValue(id, out var known) && known.Exit is null ? known : throw new RuntimeException($"The container {id} does not run.");
            containers[id] = record with { Paused = paused };
        }

        return Task.CompletedTask;
    }
}
