namespace Orchestrator.Tests.Simulation.Control;

/// <summary>A clock that stands until it is told to jump to its next timer.</summary>
internal sealed class VirtualTime : TimeProvider
{
    private readonly PriorityQueue<(Timer Timer, int Arming), (long Due, long Order)> due = new();
    private long now = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).UtcTicks;
    private long order;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => new(now, TimeSpan.Zero);

    public override long GetTimestamp() => now;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>Fires the next timer. False when there is none before the end, which becomes now.</summary>
    internal bool JumpToNext(DateTimeOffset end)
    {
        while (due.TryPeek(out var next, out var at))
        {
            if (at.Due > end.UtcTicks)
                break;
            due.Dequeue();
            if (!next.Timer.IsArmed(next.Arming))
                continue;
            now = Math.Max(now, at.Due);
            next.Timer.Fire();
            return true;
        }

        now = Math.Max(now, end.UtcTicks);
        return false;
    }

    private sealed class Timer(VirtualTime time, TimerCallback callback, object? state) : ITimer
    {
        private int arming;
        private bool armed;
        private TimeSpan every;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            arming++;
            every = period;
            armed = dueTime != Timeout.InfiniteTimeSpan;
            if (armed)
                time.due.Enqueue((this, arming), (time.now + dueTime.Ticks, time.order++));
            return true;
        }

        internal bool IsArmed(int which) => armed && which == arming;

        internal void Fire()
        {
            armed = false;
            if (every > TimeSpan.Zero)
                Change(every, every);
            callback(state);
        }

        public void Dispose() => armed = false;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
