using System.Collections.Immutable;

namespace Orchestrator.Worker.Agent;

/// <summary>The addresses to which published ports of this host lead now.</summary>
internal sealed class LedAddresses(TimeProvider time)
{
    private readonly Lock guard = new();
    private ImmutableHashSet<string> now = [];
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal void Set(ImmutableHashSet<string> next)
    {
        TaskCompletionSource told;
        lock (guard)
        {
            now = next;
            told = changed;
            changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        told.TrySetResult();
    }

    /// <summary>Waits until no port leads to any of them, or for so long. True when one had led there: what was accepted needs its time still.</summary>
    internal async Task<bool> UntilNoneLeadsToAsync(IReadOnlyCollection<string> addresses, TimeSpan most, CancellationToken stop)
    {
        var led = false;
        using var limit = new CancellationTokenSource(most, time);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(stop, limit.Token);
        while (true)
        {
            Task next;
            lock (guard)
            {
                if (!addresses.Any(now.Contains))
                    return led;
                next = changed.Task;
            }

            led = true;
            try
            {
                await next.WaitAsync(ends.Token);
            }
            catch (OperationCanceledException) when (!stop.IsCancellationRequested)
            {
                return true; // a manager that is away cannot take it out
            }
        }
    }
}
