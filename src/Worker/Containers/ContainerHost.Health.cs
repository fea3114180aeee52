using System.Runtime.CompilerServices;

namespace Orchestrator.Worker.Containers;

/// <summary>Who wants to know how a container's health check fares.</summary>
internal sealed partial class ContainerHost
{
    /// <summary>The container now and at each news of its health, until there is no such container.</summary>
    internal async IAsyncEnumerable<ContainerSnapshot> WatchHealthAsync(string reference, [EnumeratorCancellation] CancellationToken stop)
    {
        while (index.TryFind(reference)?.Snapshot is { } now)
        {
            yield return now;
            await now.HealthChanged.WaitAsync(stop);
        }
    }
}
