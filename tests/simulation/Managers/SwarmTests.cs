using System.Globalization;
using Xunit.Sdk;

namespace Orchestrator.Tests.Simulation.Managers;

/// <summary>
/// <c>SIM_TIMES=100</c> runs a hundred times as many seeds, <c>SIM_FROM=5000</c> begins at another one; <c>SIM_SCRIPT</c> set to what a
/// failure printed replays that run alone.
/// </summary>
public sealed class SwarmTests(ITestOutputHelper output)
{
    private static readonly double Times = double.Parse(Environment.GetEnvironmentVariable("SIM_TIMES") ?? "1", CultureInfo.InvariantCulture);
    private static readonly ulong From = ulong.Parse(Environment.GetEnvironmentVariable("SIM_FROM") ?? "1", CultureInfo.InvariantCulture);
    private static readonly string? Replay = Environment.GetEnvironmentVariable("SIM_SCRIPT");

    [Theory]
    [InlineData(false, 600)]
    [InlineData(true, 400)]
    public void Nothing_that_was_answered_is_lost_and_a_healed_cluster_agrees(bool workers, int seeds)
    {
        var (terms, commits, answers, reads) = (0, 0ul, 0, 0);
        var scripts = Replay is not null
            ? [Script.Parse(Replay)]
            : Enumerable.Range(0, (int)(seeds * Times)).Select(s => Script.Of(From + (ulong)s, workers));
        foreach (var script in scripts)
        {
            var began = Environment.TickCount64;
            var oracle = Run(script);
            Oracle.Trace?.WriteLine($"{Environment.TickCount64 - began} ms, {oracle.Terms} terms, {oracle.Committed} entries, {oracle.Answers} answers: {script}");
            terms += oracle.Terms;
            commits += oracle.Committed;
            answers += oracle.Answers;
            reads += oracle.Reads;
        }

        output.WriteLine($"{terms} terms, {commits} entries, {answers} answered writes, {reads} reads");
        Assert.True(Replay is not null || Times < 1 || (terms > seeds && answers > seeds * 10), $"{terms} terms, {commits} entries, {answers} answers");
    }

    [Theory]
    [InlineData(11, false)]
    [InlineData(12, true)]
    [InlineData(13, true)]
    public void The_same_script_has_the_same_transcript(ulong seed, bool workers)
    {
        var script = Script.Of(seed, workers);
        var first = Run(script);
        var second = Run(Script.Parse(script.ToString()));
        Assert.Equal(first.Transcript, second.Transcript);
        Assert.Equal(first.Digest, second.Digest);
    }

    private static Oracle Run(Script script)
    {
        try
        {
            var swarm = new SimulatedSwarm(script);
            swarm.Live();
            return swarm.Oracle;
        }
        catch (Exception failure) when (failure is not XunitException)
        {
            throw new InvalidOperationException($"{failure.Message}\nreplay with SIM_SCRIPT='{script}'", failure);
        }
    }
}
