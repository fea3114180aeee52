using Orchestrator.Tests.Simulation.Control;

namespace Orchestrator.Tests.Simulation.Managers;

/// <summary>One life of one process: what runs in it stands still while it is paused and never runs again once it died.</summary>
internal sealed class Machine(World world) : SynchronizationContext
{
    private List<Work>? waiting;

    internal bool IsDead { get; private set; }

    internal bool IsPaused => waiting is not null;

    /// <summary>Called when the process dies.</summary>
    internal event Action? Died;

    internal void Kill()
    {
        IsDead = true;
        waiting = null;
        Died?.Invoke();
    }

    internal void Pause() => waiting ??= [];

    /// <summary>When it last went on after a pause, in the world's time.</summary>
    internal long ResumedAt { get; private set; }

    internal void Resume()
    {
        if (waiting is not { } late)
            return;
        waiting = null;
        ResumedAt = world.Time.GetTimestamp();
        foreach (var work in late)
            world.Post(Work.Run, work);
    }

    internal void Run(Action act) => Post(static a => ((Action)a!)(), act);

    public override void Post(SendOrPostCallback d, object? state)
    {
        if (!IsDead)
            world.Post(Work.Run, new Work(this, d, state));
    }

    public override SynchronizationContext CreateCopy() => this;

    private sealed class Work(Machine machine, SendOrPostCallback callback, object? state)
    {
        internal static void Run(object? state) => ((Work)state!).Run();

        private void Run()
        {
            if (machine.IsDead)
                return;
            if (machine.waiting is { } waiting)
            {
                waiting.Add(this);
                return;
            }

            var before = Current;
            SetSynchronizationContext(machine);
            callback(state);
            SetSynchronizationContext(before);
        }
    }
}
