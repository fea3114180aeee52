using Orchestrator.Worker.Runtime;

namespace Orchestrator.Worker.Containers;

/// <summary>Who sits at its stdin and output.</summary>
internal sealed partial class ContainerLife
{
    private readonly List<AttachRequest> untilStarted = [];

    /// <summary>
    /// Joins its stdio. When it does not run, this is a seat for its next run, and nothing that the run writes is missed: clients attach first
    /// and start then.
    /// </summary>
    internal Task<AttachRequest> AttachAsync(CancellationToken stop) => AskAsync("attach", async () =>
    {
        var request = new AttachRequest();
        if (state.Status is ContainerStatus.Removing or ContainerStatus.Dead)
            throw new ContainerConflictException($"container {Id} is being removed: nobody can attach to it any more");
        if (state.Status == ContainerStatus.Running)
            request.Give(await services.Runtime.AttachAsync(Id, CancellationToken.None));
        else
            untilStarted.Add(request);
        Publish("attach");
        return request;
    }, stop);

    internal Task ResizeAsync(int rows, int columns, CancellationToken stop) => AskAsync("resize", async () =>
    {
        if (state.Status != ContainerStatus.Running)
            throw new ContainerConflictException($"container {Id} is not running");
        await services.Runtime.ResizeAsync(Id, rows, columns, CancellationToken.None);
        Publish(
            "resize", ("height", rows.ToString(System.Globalization.CultureInfo.InvariantCulture)),
            ("width", columns.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        return true;
    }, stop);

    /// <summary>A start begins: who waited gets a seat before the first byte.</summary>
    private async Task SeatAsync()
    {
        var waiting = untilStarted.ToArray();
        untilStarted.Clear();
        foreach (var request in waiting.Where(r => !r.Left))
            request.Give(await services.Runtime.AttachAsync(Id, CancellationToken.None));
    }

    /// <summary>There is no run to come: it could not be started, or is removed.</summary>
    private void Unseat()
    {
        foreach (var request in untilStarted)
            request.Give(null);
        untilStarted.Clear();
    }
}

/// <summary>A wish to sit at a container's stdio.</summary>
internal sealed class AttachRequest : IAsyncDisposable
{
    private readonly TaskCompletionSource<IAttachSession?> given = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool left;

    /// <summary>The seat; null when the container never started.</summary>
    internal Task<IAttachSession?> Session => given.Task;

    /// <summary>Who asked has gone.</summary>
    internal bool Left => left;

    internal void Give(IAttachSession? session) => given.TrySetResult(session);

    /// <summary>Gives the seat back, also one that comes later.</summary>
    public async ValueTask DisposeAsync()
    {
        left = true;
        given.TrySetResult(null);
        if (await given.Task is { } session)
            await session.DisposeAsync();
    }
}
