using Orchestrator.Tests.Simulation.Control;

namespace Orchestrator.Tests.Simulation.Managers;

/// <summary>How wrong a host's clock goes: it may run fast or slow, and be set.</summary>
internal sealed class Skew(VirtualTime time)
{
    private double rate = 1;
    private long begun = time.GetTimestamp();
    private long local = time.GetTimestamp();
    private TimeSpan offset;

    internal long Ticks => local + (long)((time.GetTimestamp() - begun) * rate);

    internal DateTimeOffset Now => new DateTimeOffset(Ticks, TimeSpan.Zero) + offset;

    /// <param name="percent">So much faster, or slower, than the world.</param>
    internal void Set(int percent, TimeSpan ahead)
    {
        (local, begun) = (Ticks, time.GetTimestamp());
        rate = 1 + (percent / 100.0);
        offset = ahead;
    }

    internal TimeSpan InWorld(TimeSpan length) => length <= TimeSpan.Zero ? length : TimeSpan.FromTicks((long)(length.Ticks / rate));
}

/// <summary>The clock that one process sees; its timers end with it.</summary>
internal sealed class SkewedTime(VirtualTime time, Skew skew, Machine machine) : TimeProvider
{
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => skew.Now;

    public override long GetTimestamp() => skew.Ticks;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        new Timer(this, callback, state, dueTime, period);

    private sealed class Timer : ITimer
    {
        private readonly SkewedTime owner;
        private readonly ITimer inner;

        internal Timer(SkewedTime owner, TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            this.owner = owner;
            inner = owner.Base.CreateTimer(
                _ =>
                {
                    if (owner.IsOver)
                        Dispose();
                    else
                        callback(state);
                },
                null, owner.InWorld(dueTime), owner.InWorld(period));
        }

        public bool Change(TimeSpan dueTime, TimeSpan period) => inner.Change(owner.InWorld(dueTime), owner.InWorld(period));

        public void Dispose() => inner.Dispose();

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }

    private VirtualTime Base => time;

    private bool IsOver => machine.IsDead;

    private TimeSpan InWorld(TimeSpan length) => skew.InWorld(length);
}
