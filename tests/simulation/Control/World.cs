using System.Collections.Concurrent;

namespace Orchestrator.Tests.Simulation.Control;

/// <summary>One thread, a queue and a clock that jumps: everything that runs in it runs in an order that the seed decides.</summary>
internal sealed class World : SynchronizationContext
{
    private readonly ConcurrentQueue<(SendOrPostCallback Callback, object? State)> queue = new();
    /// <summary>Nothing that is sound does so much in no time.</summary>
    private const int MostStepsAtOnce = 20_000;

    private readonly int thread = Environment.CurrentManagedThreadId;

    internal VirtualTime Time { get; } = new();

    /// <summary>Set once something ran outside of the one thread: then no seed replays.</summary>
    internal string? Escaped { get; private set; }

    /// <summary>Called after every step.</summary>
    internal Action AfterStep { get; set; } = () => { };

    public override void Post(SendOrPostCallback d, object? state)
    {
        if (Environment.CurrentManagedThreadId != thread)
            Escaped ??= new System.Diagnostics.StackTrace().ToString();
        queue.Enqueue((d, state));
    }

    public override SynchronizationContext CreateCopy() => this;

    /// <summary>Runs what is there, then lets the clock jump to the next timer, until the condition holds or the time is over.</summary>
    internal bool RunUntil(Func<bool> done, TimeSpan most)
    {
        var before = Current;
        SetSynchronizationContext(this);
        try
        {
            var end = Time.GetUtcNow() + most;
            while (true)
            {
                for (var steps = 0; queue.TryDequeue(out var item); steps++)
                {
                    item.Callback(item.State);
                    AfterStep();
                    if (steps > MostStepsAtOnce)
                        throw new InvalidOperationException("it turns on the spot: time does not go on any more");
                }

                if (Escaped is { } trace)
                    throw new InvalidOperationException("something left the simulation's thread:\n" + trace);
                if (done())
                    return true;
                if (!Time.JumpToNext(end))
                    return false;
            }
        }
        finally
        {
            SetSynchronizationContext(before);
        }
    }

    internal T Run<T>(Func<Task<T>> start, TimeSpan most)
    {
        Task<T>? task = null;
        Post(_ => task = start(), null);
        RunUntil(() => task is { IsCompleted: true }, most);
        return task is { IsCompleted: true } ? task.GetAwaiter().GetResult() : throw new TimeoutException("it did not end in " + most);
    }

    internal void Run(Func<Task> start, TimeSpan most) => Run(
        async () =>
        {
            await start();
            return true;
        },
        most);
}
