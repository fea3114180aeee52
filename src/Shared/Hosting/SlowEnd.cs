using Microsoft.Extensions.Logging;

namespace Orchestrator.Shared.Hosting;

/// <summary>Waits for what is stopping, and says by name what keeps everybody waiting: a daemon that does not end must be able to say why.</summary>
public static class SlowEnd
{
    private static readonly TimeSpan Usual = TimeSpan.FromSeconds(5);

    /// <param name="ending">What is waited for, however long it takes.</param>
    /// <param name="what">Asked when it takes long: the names of what has not ended.</param>
    public static async Task WatchAsync(Task ending, Func<string> what, TimeProvider time, ILogger log)
    {
        using var ended = new CancellationTokenSource();
        var late = Task.Delay(Usual, time, ended.Token);
        if (await Task.WhenAny(ending, late) == late)
            log.EndsSlowly(what(), Usual);
        ended.Cancel();
        await ending;
    }
}
