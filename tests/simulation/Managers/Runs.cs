using System.Globalization;
using Xunit.Sdk;

namespace Orchestrator.Tests.Simulation.Managers;

/// <summary>
/// <c>SIM_TIMES=100</c> runs a hundred times as many seeds, <c>SIM_FROM=5000</c> begins at another one; <c>SIM_SCRIPT</c> set to what a
/// failure printed replays that run alone; <c>SIM_TRACE</c> names a file that tells everything that happened.
/// </summary>
internal static class Runs
{
    private static readonly double Times = double.Parse(Environment.GetEnvironmentVariable("SIM_TIMES") ?? "1", CultureInfo.InvariantCulture);
    private static readonly ulong From = ulong.Parse(Environment.GetEnvironmentVariable("SIM_FROM") ?? "1", CultureInfo.InvariantCulture);
    private static readonly string? Replay = Environment.GetEnvironmentVariable("SIM_SCRIPT");

    internal static string Many(int seeds, bool workers, Action<SimulatedSwarm> also)
    {
        var (terms, commits, answers, reads) = (0, 0ul, 0, 0);
        var scripts = Replay is not null
            ? [Script.Parse(Replay)]
            : Enumerable.Range(0, (int)(seeds * Times)).Select(s => Script.Of(From + (ulong)s, workers));
        foreach (var script in scripts)
        {
            var oracle = One(script, also);
            Oracle.Trace?.WriteLine($"{oracle.Terms} terms, {oracle.Committed} entries, {oracle.Answers} answers: {script}");
            terms += oracle.Terms;
            commits += oracle.Committed;
            answers += oracle.Answers;
            reads += oracle.Reads;
        }

        // A simulation in which nothing happens proves nothing.
        Assert.True(Replay is not null || Times < 1 || (terms > seeds && answers > seeds * 10 && reads > seeds * 10), $"{terms} terms, {commits} entries, {answers} answers");
        return $"{terms} terms, {commits} entries, {answers} answered writes, {reads} reads";
    }

    internal static Oracle One(Script script, Action<SimulatedSwarm> also)
    {
        try
        {
            return Live(script, also);
        }
        catch (Exception failure) when (failure is not XunitException)
        {
            throw new InvalidOperationException($"{failure.Message}\nreplay with SIM_SCRIPT='{Shorter(script, also)}'", failure);
        }
    }

    private static Oracle Live(Script script, Action<SimulatedSwarm> also)
    {
        var swarm = new SimulatedSwarm(script);
        swarm.Live();
        also(swarm);
        return swarm.Oracle;
    }

    /// <summary>Leaves out what happens in the script as long as it fails without.</summary>
    private static Script Shorter(Script script, Action<SimulatedSwarm> also)
    {
        for (var i = script.Happenings.Count - 1; i >= 0; i--)
        {
            var without = script with { Happenings = [.. script.Happenings.Where((_, n) => n != i)] };
            try
            {
                Live(without, also);
            }
            catch (Exception failure) when (failure is not XunitException)
            {
                script = without;
            }
        }

        return script;
    }
}
