namespace Orchestrator.Tests.Simulation.Raft;

/// <summary>SplitMix64 (Steele, Lea, Flood 2014): the same seed throws the same dice on every machine.</summary>
internal sealed class Dice(ulong seed)
{
    private ulong state = seed;

    internal int Below(int bound) => (int)(Next() % (ulong)bound);

    internal bool Chance(int percent) => Below(100) < percent;

    internal ulong Next()
    {
        state += 0x9E3779B97F4A7C15;
        var z = state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
