using System.Globalization;

namespace Orchestrator.Tests.Integration.Recovery;

/// <summary>One moment of a container's life, by the name of its point and how often it was passed before: something happens there, once.</summary>
internal sealed class StepGate(string point, Func<CancellationToken, Task> happens, int occurrence = 1)
{
    private readonly TaskCompletionSource reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int passed;

    internal Task Reached => reached.Task;

    /// <summary>A daemon that is killed there: what comes after never happens.</summary>
    internal static Task FreezeAsync(CancellationToken stop) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);

    internal async Task AtAsync(string passing, CancellationToken stop = default)
    {
        if (passing != point || Interlocked.Increment(ref passed) != occurrence)
            return;
        reached.SetResult();
        await happens(stop);
    }

    public override string ToString() => occurrence == 1 ? point : string.Create(CultureInfo.InvariantCulture, $"{point} ({occurrence})");
}
