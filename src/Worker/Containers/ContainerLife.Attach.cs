using System.Globalization;
using Orchestrator.Worker.Runtime;

namespace Orchestrator.Worker.Containers;

/// <summary>Who sits at its stdin and output.</summary>
internal sealed partial class ContainerLife
{
    private readonly List<IAttachSession> untilStarted = [];

    /// <summary>
    /// Joins its stdio. When it does not run, this is a seat for its next run, and nothing that the run writes is missed: clients attach first
    /// and start then.
    /// </summary>
    internal Task<IAttachSession> AttachAsync(CancellationToken stop) => AskAsync("attach", async () =>
    {
        if (state.Status is ContainerStatus.Removing or ContainerStatus.Dead)
            throw new ContainerConflictException($"container {Id} is being removed: nobody can attach to it any more");
        var session = await services.Runtime.AttachAsync(Id, CancellationToken.None);
        if (state.Status != ContainerStatus.Running)
            untilStarted.Add(session);
        Publish("attach");
        return session;
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
        foreach (var session in untilStarted)
            await session.DisposeAsync();
        untilStarted.Clear();
    }
}
