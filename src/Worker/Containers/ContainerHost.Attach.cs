namespace Orchestrator.Worker.Containers;

/// <summary>Sitting at a container's own stdio.</summary>
internal sealed partial class ContainerHost
{
    /// <summary>Joins a container's stdio, or takes a seat for its next run.</summary>
    /// <exception cref="ContainerConflictException">It is paused, restarting or being removed.</exception>
    internal Task<Seat> AttachAsync(string reference, CancellationToken stop)
    {
        var life = index.Find(reference);
        if (ContainerViews.Word(life.Snapshot.State) is "paused" or "restarting")
            CheckRuns(life.Snapshot, "attach");
        return life.AttachAsync(stop);
    }

    /// <summary>A person left a container's terminal by its keys; the container runs on.</summary>
    internal void DetachedFrom(string id) => index.TryGet(id)?.Publish("detach");

    /// <summary>Sets the size of its terminal.</summary>
    /// <exception cref="ContainerConflictException">It does not run.</exception>
    internal Task ResizeAsync(string reference, int rows, int columns, CancellationToken stop) => index.Find(reference).ResizeAsync(rows, columns, stop);
}
