using System.Globalization;

namespace Orchestrator.Tests.Simulation.Raft;

public sealed class ClusterTests
{
    private const int ScriptLines = 80;

    /// <summary>Set it to one seed to replay that run alone.</summary>
    private static readonly string? OneSeed = Environment.GetEnvironmentVariable("RAFT_SEED");

    /// <summary>Set it to a number to run so many times as many seeds.</summary>
    private static readonly int Times = int.Parse(Environment.GetEnvironmentVariable("RAFT_TIMES") ?? "1", CultureInfo.InvariantCulture);

    [Theory]
    [InlineData(1, 2, 100)]
    [InlineData(3, 2, 250)]
    [InlineData(4, 3, 150)]
    public void Members_come_and_go_and_nothing_committed_is_lost(int voters, int spares, int seeds)
    {
        var (changes, commits, reads) = (0, 0, 0);
        foreach (var cluster in Runs(voters, spares, seeds))
        {
            changes += cluster.Changes;
            commits += cluster.Witness.Commits;
            reads += cluster.Reads;
        }

        Assert.True(
            OneSeed is not null || (changes > seeds / 2 && commits > seeds * 5 && reads > seeds * 5), $"{changes} changes, {commits} commits, {reads} reads");
    }

    [Theory]
    [InlineData(1, 40)]
    [InlineData(2, 80)]
    [InlineData(3, 300)]
    [InlineData(4, 100)]
    [InlineData(5, 200)]
    public void Committed_entries_survive_every_trouble_reads_are_linearizable_and_a_healed_cluster_agrees(int voters, int seeds)
    {
        var (elections, commits, reads) = (0, 0, 0);
        foreach (var cluster in Runs(voters, 0, seeds))
        {
            elections += cluster.Witness.Elections;
            commits += cluster.Witness.Commits;
            reads += cluster.Reads;
        }

        // A simulation in which nothing happens proves nothing.
        Assert.True(
            OneSeed is not null || (elections > seeds && commits > seeds * 5 && reads > seeds * 5), $"{elections} elections, {commits} commits, {reads} reads");
    }

    [Fact]
    public void The_same_seed_goes_the_same_way()
    {
        List<string> first = [], second = [];
        Live(4711, 3, 2, first);
        Live(4711, 3, 2, second);
        Assert.Equal(first, second);
    }

    private static IEnumerable<SimulatedCluster> Runs(int voters, int spares, int seeds) =>
        (OneSeed is null ? Enumerable.Range(1, seeds * Times).Select(s => (ulong)s) : [ulong.Parse(OneSeed, null)]).Select(seed => Run(seed, voters, spares));

    private static SimulatedCluster Run(ulong seed, int voters, int spares)
    {
        try
        {
            return Live(seed, voters, spares, null);
        }
        catch (Exception failure)
        {
            // Once more, taking notes.
            List<string> script = [];
            var again = Record.Exception(() => Live(seed, voters, spares, script));
            throw new InvalidOperationException(
                $"RAFT_SEED={seed}, {voters} voters, {spares} spares: {failure.Message}\n"
                + (again?.Message == failure.Message ? "" : $"and when it ran again: {again?.Message ?? "nothing"}\n")
                + $"The last of {script.Count} steps:\n{string.Join('\n', script.TakeLast(ScriptLines))}",
                failure);
        }
    }

    private static SimulatedCluster Live(ulong seed, int voters, int spares, List<string>? script)
    {
        var cluster = new SimulatedCluster(seed, voters, spares, script);
        cluster.Trouble(5000);
        cluster.Heal();
        return cluster;
    }
}
