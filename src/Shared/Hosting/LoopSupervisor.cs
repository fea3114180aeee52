using Microsoft.Extensions.Logging;

namespace Orchestrator.Shared.Hosting;

/// <summary>What the supervisor does when a loop ends by an exception.</summary>
public enum WhenLoopFails
{
    /// <summary>The whole host stops: <see cref="LoopSupervisor.Failed"/> faults. For loops that own state.</summary>
    FailHost,

    /// <summary>The loop is started again after a back-off. For loops that only carry things and can begin anew.</summary>
    Restart,
}

/// <summary>Starts named loops, keeps their tasks, restarts them or fails the host, and awaits them all at the end.</summary>
public sealed class LoopSupervisor(TimeProvider time, ILogger log, Func<double> jitter) : IAsyncDisposable
{
    private readonly CancellationTokenSource stopping = new();
    private readonly TaskCompletionSource failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock guard = new();
    private readonly List<(string Name, Task Run)> loops = [];
    private bool stopped;

    public Backoff Backoff { get; init; } = new();

    /// <summary>Never completes while all is well; faults with the exception of a loop whose failure fails the host.</summary>
    public Task Failed => failed.Task;

    /// <summary>Starts a loop. It runs on the caller's synchronisation context, and ends when <see cref="StopAsync"/> cancels its token.</summary>
    public void Start(string name, Func<CancellationToken, Task> loop, WhenLoopFails whenFails)
    {
        lock (guard)
        {
            ObjectDisposedException.ThrowIf(stopped, this);
            loops.Add((name, SuperviseAsync(name, loop, whenFails, stopping.Token)));
        }
    }

    /// <summary>Cancels every loop and waits until the last one has ended.</summary>
    public async Task StopAsync()
    {
        (string Name, Task Run)[] all;
        lock (guard)
        {
            stopped = true;
            all = [.. loops];
        }

        await stopping.CancelAsync();
        await SlowEnd.WatchAsync(
            Task.WhenAll(all.Select(l => l.Run)), () => $"loop {string.Join(", ", all.Where(l => !l.Run.IsCompleted).Select(l => l.Name))}", time, log);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        stopping.Dispose();
    }

    private async Task SuperviseAsync(string name, Func<CancellationToken, Task> loop, WhenLoopFails whenFails, CancellationToken stop)
    {
        await Task.Yield(); // the starter goes on before the loop's first turn
        for (var attempt = 1; !stop.IsCancellationRequested; attempt++)
        {
            var began = time.GetTimestamp();
            try
            {
                await loop(stop);
                return;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                if (whenFails == WhenLoopFails.FailHost)
                {
                    log.LoopFailedHost(failure, name);
                    failed.TrySetException(failure);
                    return;
                }

                if (time.GetElapsedTime(began) > Backoff.Most)
                    attempt = 1; // it ran well for long: an old failure no longer counts
                var delay = Backoff.Delay(attempt, jitter());
                log.LoopRestarts(failure, name, delay);
                await Task.Delay(delay, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
            }
        }
    }
}
