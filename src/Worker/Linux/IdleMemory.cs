namespace Orchestrator.Worker.Linux;

/// <summary>
/// Gives memory back to the host when a burst of work is over. The collector alone keeps what a burst took until the next one, and an
/// idle process has no next one; a quiet process pays tens of milliseconds here that nobody waits for.
/// </summary>
internal static class IdleMemory
{
    /// <summary>A burst of the daemon's: heartbeats alone add up to it in minutes.</summary>
    internal const long DaemonBurst = 4 << 20;

    /// <summary>The shim allocates nothing while idle and little when busy: what starts cost it lies in the C heap, which is trimmed with it.</summary>
    internal const long ShimBurst = 1 << 20;

    private static readonly TimeSpan Period = TimeSpan.FromSeconds(2);

    /// <summary>Looks every two seconds until cancelled.</summary>
    internal static async Task RunAsync(long burst, TimeProvider time, CancellationToken stop)
    {
        var spell = new QuietSpell(burst);
        using var timer = new PeriodicTimer(Period, time);
        while (await timer.WaitForNextTickAsync(stop))
        {
            if (!spell.IsOver(GC.GetTotalAllocatedBytes()))
                continue;
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            Self.TrimHeap();
        }
    }
}
