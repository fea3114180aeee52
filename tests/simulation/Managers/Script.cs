using System.Globalization;
using System.Text;
using Orchestrator.Tests.Simulation.Raft;

namespace Orchestrator.Tests.Simulation.Managers;

/// <summary>What kind of cluster, and for how long it has trouble.</summary>
internal sealed record Plans(ulong Seed, int Managers, int Spares, int Workers, int Clients, int SnapshotEntries, int KeepEntries, int Milliseconds)
{
    internal int Places => Managers + Spares + Workers + Clients;
}

/// <summary>Something that happens at a moment: a verb and its numbers.</summary>
internal sealed record Happening(int At, Fate Fate, int A = 0, int B = 0)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{At} {Fate} {A} {B}");
}

/// <summary>What can happen. A and B are places, counted from zero: managers, workers, clients.</summary>
internal enum Fate
{
    /// <summary>Nothing passes from A to B.</summary>
    Cut,

    /// <summary>A is cut off from everybody, both ways.</summary>
    Isolate,

    /// <summary>The managers whose bits are set in A are cut off from the other managers, both ways.</summary>
    Divide,

    /// <summary>All wires are whole again.</summary>
    Heal,

    /// <summary>Manager A loses its power.</summary>
    Crash,

    /// <summary>All managers lose their power at once.</summary>
    CrashAll,

    /// <summary>Manager A comes back, or every one that is down when A is negative.</summary>
    Start,

    /// <summary>Manager A stands still for B milliseconds.</summary>
    Pause,

    /// <summary>Every sync of manager A's disk takes B milliseconds longer.</summary>
    SlowDisk,

    /// <summary>Manager A's disk fails: it stops, and has to be started anew.</summary>
    FailDisk,

    /// <summary>Manager A's clock runs B percent faster (slower when negative) and is B times 100 ms wrong.</summary>
    Skew,

    /// <summary>The leader is asked to hand over to manager A.</summary>
    Transfer,

    /// <summary>A percent of all messages are lost, B percent come twice.</summary>
    Lose,

    /// <summary>Every message takes up to A milliseconds longer.</summary>
    SlowNetwork,

    /// <summary>The leader is asked to take manager A in.</summary>
    Add,

    /// <summary>The leader is asked to put manager A out.</summary>
    Remove,

    /// <summary>Manager A loses its disk and comes back without.</summary>
    Replace,

    /// <summary>Worker A loses its power, or comes back.</summary>
    Cycle,
}

/// <summary>A cluster and what happens to it: made from a seed, printed, and read back.</summary>
internal sealed record Script(Plans Plans, IReadOnlyList<Happening> Happenings)
{
    /// <param name="workers">With agents and services, or the managers and their clients alone.</param>
    internal static Script Of(ulong seed, bool workers)
    {
        var dice = new Dice(seed * 2 + (workers ? 1u : 0u));
        var plans = new Plans(
            seed, dice.Chance(70) ? 3 : dice.Chance(70) ? 5 : 4, dice.Chance(35) ? 1 + dice.Below(2) : 0, workers ? 3 : 0, Clients: 2 + dice.Below(2),
            SnapshotEntries: 5 + dice.Below(60), KeepEntries: dice.Below(20), Milliseconds: (workers ? 12_000 : 8_000) + dice.Below(12_000));
        var happenings = new List<Happening>();
        var most = 2 + dice.Below(14);
        for (var i = 0; i < most; i++)
            happenings.Add(Throw(dice, plans));
        for (var i = plans.Spares > 0 ? 2 + dice.Below(6) : 0; i > 0; i--)
            happenings.Add(new(dice.Below(plans.Milliseconds), dice.Chance(60) ? Fate.Add : Fate.Remove, dice.Below(plans.Managers + plans.Spares)));
        // One at most, and none where managers are put out meanwhile: a majority has to be left.
        if (plans.Spares == 0 && dice.Chance(25))
            happenings.Add(new(dice.Below(plans.Milliseconds), Fate.Replace, dice.Below(plans.Managers)));
        return new(plans, [.. happenings.OrderBy(h => h.At)]);
    }

    private static Happening Throw(Dice dice, Plans plans)
    {
        var at = dice.Below(plans.Milliseconds);
        var manager = dice.Below(plans.Managers + plans.Spares);
        return dice.Below(100) switch
        {
            < 12 => new(at, Fate.Cut, dice.Below(plans.Places), dice.Below(plans.Places)),
            < 24 => new(at, Fate.Isolate, manager),
            < 32 => new(at, Fate.Divide, 1 + dice.Below((1 << plans.Managers) - 2)),
            < 42 => new(at, Fate.Heal),
            < 54 => new(at, Fate.Crash, manager),
            < 57 => new(at, Fate.CrashAll),
            < 66 => new(at, Fate.Start, -1),
            < 72 => new(at, Fate.Pause, manager, 200 + dice.Below(4000)),
            < 78 => new(at, Fate.SlowDisk, manager, dice.Chance(30) ? 0 : dice.Below(400)),
            < 80 => new(at, Fate.FailDisk, manager),
            < 84 => new(at, Fate.Skew, manager, dice.Below(41) - 20),
            < 89 => new(at, Fate.Transfer, manager),
            < 94 => new(at, Fate.Lose, dice.Below(25), dice.Below(25)),
            < 96 => new(at, Fate.SlowNetwork, dice.Below(120)),
            _ when plans.Workers > 0 => new(at, Fate.Cycle, dice.Below(plans.Workers)),
            _ => new(at, Fate.Crash, manager),
        };
    }

    public override string ToString()
    {
        var text = new StringBuilder();
        var p = Plans;
        text.Append(CultureInfo.InvariantCulture, $"{p.Seed} {p.Managers} {p.Spares} {p.Workers} {p.Clients} {p.SnapshotEntries} {p.KeepEntries} {p.Milliseconds}");
        foreach (var happening in Happenings)
            text.Append("; ").Append(happening);
        return text.ToString();
    }

    /// <summary>Reads what <see cref="ToString"/> wrote.</summary>
    internal static Script Parse(string text)
    {
        var parts = text.Split([';', '\n'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var n = parts[0].Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(w => ulong.Parse(w, CultureInfo.InvariantCulture)).ToArray();
        var plans = new Plans(n[0], (int)n[1], (int)n[2], (int)n[3], (int)n[4], (int)n[5], (int)n[6], (int)n[7]);
        return new(plans, [.. parts.Skip(1).Select(Happening)]);
    }

    private static Happening Happening(string line)
    {
        var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return new(Number(words[0]), Enum.Parse<Fate>(words[1]), Number(words[2]), Number(words[3]));
    }

    private static int Number(string word) => int.Parse(word, CultureInfo.InvariantCulture);
}
