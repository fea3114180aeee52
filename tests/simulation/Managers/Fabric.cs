using Orchestrator.Tests.Simulation.Control;
using Orchestrator.Tests.Simulation.Raft;

namespace Orchestrator.Tests.Simulation.Managers;

/// <summary>The wires between places (managers, workers, clients): what goes from one to another is late, lost, doubled or overtaken.</summary>
internal sealed class Fabric(World world, Dice dice)
{
    private readonly HashSet<(int From, int To)> cuts = [];

    internal Dice Dice => dice;

    internal int LossPercent { get; set; }

    internal int DoublePercent { get; set; }

    /// <summary>On top of the usual millisecond.</summary>
    internal TimeSpan Slowness { get; set; }

    internal bool IsCut(int from, int to) => cuts.Count > 0 && cuts.Contains((from, to));

    internal void Cut(int from, int to) => cuts.Add((from, to));

    internal void Join(int from, int to) => cuts.Remove((from, to));

    internal void Heal()
    {
        cuts.Clear();
        LossPercent = DoublePercent = 0;
        Slowness = TimeSpan.Zero;
    }

    /// <summary>Now and then a packet takes a long way: others overtake it.</summary>
    internal TimeSpan Delay() =>
        TimeSpan.FromMicroseconds(100 + dice.Below(dice.Chance(4) ? 40_000 : 900)) + (Slowness > TimeSpan.Zero ? Slowness * (dice.Below(100) / 100.0) : TimeSpan.Zero);

    internal void After(TimeSpan delay, Action act) => world.Time.CreateTimer(static a => ((Action)a!)(), act, delay, Timeout.InfiniteTimeSpan);

    internal DateTimeOffset Now => world.Time.GetUtcNow();

    internal Task WaitAsync(TimeSpan delay) => Task.Delay(delay, world.Time, CancellationToken.None);
}
