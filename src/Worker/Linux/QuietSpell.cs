namespace Orchestrator.Worker.Linux;

/// <summary>Tells from the bytes allocated so far, asked for at even times, when a burst of work is over.</summary>
/// <param name="burst">Less than this since the last time is not worth a collection.</param>
internal sealed class QuietSpell(long burst)
{
    /// <summary>Below this in one period nothing goes on but heartbeats.</summary>
    internal const long Quiet = 512 << 10;

    private long before;
    private long collected;

    /// <summary>True once after each burst, at the first quiet period that follows.</summary>
    internal bool IsOver(long allocated)
    {
        var quiet = allocated - before < Quiet;
        before = allocated;
        if (!quiet || allocated - collected < burst)
            return false;
        collected = allocated;
        return true;
    }
}
