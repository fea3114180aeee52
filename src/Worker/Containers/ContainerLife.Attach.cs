using System.Globalization;
using Orchestrator.Worker.Runtime;

namespace Orchestrator.Worker.Containers;

/// <summary>Who sits at its stdin and output.</summary>
internal sealed partial class ContainerLife
{
    private readonly List<Seat> untilStarted = [];

    /// <summary>
    /// Joins its stdio. When it does not run, this is a seat for its next run, and nothing that the run writes is missed: clients attach first
    /// and start then.
    /// </summary>
    internal Task<Seat> AttachAsync(CancellationToken stop) => AskAsync("attach", async () =>
    {
        if (state.Status is ContainerStatus.Removing or ContainerStatus.Dead)
            throw new ContainerConflictException($"container {Id} is being removed: nobody can attach to it any more");
        var seat = new Seat(await services.Runtime.AttachAsync(Id, CancellationToken.None));
        if (state.Status != ContainerStatus.Running)
            untilStarted.Add(seat);
        Publish("attach");
        return seat;
    }, stop);

    internal Task ResizeAsync(int rows, int columns, CancellationToken stop) => AskAsync("resize", async () =>
    {
        if (state.Status != ContainerStatus.Running)
            throw new ContainerConflictException($"container {Id} is not running");
        await services.Runtime.ResizeAsync(Id, rows, columns, CancellationToken.None);
        Publish("resize", ("height", rows.ToString(CultureInfo.InvariantCulture)), ("width", columns.ToString(CultureInfo.InvariantCulture)));
        return true;
    }, stop);

    /// <summary>There is no run to come, since it could not be started or is removed: who waited for one is sent away.</summary>
    private async Task UnseatAsync()
    {
        foreach (var seat in untilStarted)
            await seat.DisposeAsync();
        untilStarted.Clear();
    }
}

/// <summary>A place at a container's stdio, given back once by whoever is first: its client or the container that never started.</summary>
internal sealed class Seat(IAttachSession session) : IAsyncDisposable
{
    private int left;

    internal IAttachSession Session { get; } = session;

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref left, 1) == 0)
            await Session.DisposeAsync();
    }
}
