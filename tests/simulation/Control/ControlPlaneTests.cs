using System.Globalization;

namespace Orchestrator.Tests.Simulation.Control;

public sealed class ControlPlaneTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    /// <summary><c>SIM_TIMES</c> makes them more, <c>SIM_FROM</c> has them begin at another seed.</summary>
    public static TheoryData<ulong> Batches => [.. Enumerable.Range(0, (int)(10 * Number("SIM_TIMES", 1))).Select(b => (ulong)Number("SIM_FROM", 0) + ((ulong)b * 20))];

    [Theory]
    [MemberData(nameof(Batches))]
    public void Whatever_happens_the_cluster_becomes_what_was_asked_for(ulong first)
    {
        for (var seed = first; seed < first + 20; seed++)
            Live(seed);
    }

    [Theory]
    [InlineData(7)]
    [InlineData(4711)]
    public void The_same_seed_gives_the_same_state(ulong seed) => Assert.Equal(Live(seed), Live(seed));

    private static double Number(string name, double usual) =>
        Environment.GetEnvironmentVariable(name) is { } text ? double.Parse(text, CultureInfo.InvariantCulture) : usual;

    private static string Live(ulong seed)
    {
        try
        {
            var plane = new SimulatedControlPlane(seed);
            for (var act = 0; act < 25; act++)
                plane.Act();
            plane.Heal();
            Assert.True(
                plane.RunUntil(s => Convergence.Missing(s, plane.Agents) is null, Patience),
                Convergence.Missing(plane.State, plane.Agents));
            return plane.Digest;
        }
        catch (Exception failure)
        {
            throw new InvalidOperationException($"seed {seed}: {failure.Message}", failure);
        }
    }
}
