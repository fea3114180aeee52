using Microsoft.Extensions.Logging;
using Orchestrator.Shared.Hosting;

namespace Orchestrator.Cli.Daemon;

/// <summary>What the daemon has started; it is stopped the other way round, each part whatever became of the ones before.</summary>
internal sealed class StartedParts(TimeProvider time, ILogger log)
{
    private readonly Stack<(string What, Func<ValueTask> Stop)> _parts = new();

    internal void Add(string what, Func<ValueTask> stop) => _parts.Push((what, stop));

    internal void Add(string what, IDisposable part) => Add(what, () =>
    {
        part.Dispose();
        return ValueTask.CompletedTask;
    });

    internal async Task StopAsync()
    {
        while (_parts.TryPop(out var part))
        {
            try
            {
                await SlowEnd.WatchAsync(part.Stop().AsTask(), () => part.What, time, log);
            }
            catch (Exception failure)
            {
                log.StopFailed(failure, part.What); // the rest still has to stop
            }
        }
    }
}
