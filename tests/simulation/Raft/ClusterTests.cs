using System.Globalization;

namespace Orchestrator.Tests.Simulation.Raft;

public sealed class ClusterTests
{
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
        var (changes, commits) = (0, 0);
        var all = OneSeed is null ? Enumerable.Range(1, seeds * Times).Select(s => (ulong)s) : [ulong.Parse(OneSeed, null)];
        foreach (var seed in all)
        {
            var cluster = new SimulatedCluster(seed, voters, spares);
            try
            {
                cluster.Trouble(4000);
                cluster.Heal();
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException($"seed {seed}, {voters} voters, {spares} spares: {failure.Message}", failure);
            }

            changes += cluster.Changes;
            commits += cluster.Witness.Commits;
        }

        Assert.True(OneSeed is not null || (changes > seeds && commits > seeds * 5), $"{changes} changes, {commits} commits");
    }

    [Theory]
    [InlineData(1, 40)]
    [InlineData(2, 80)]
    [InlineData(3, 300)]
    [InlineData(4, 100)]
    [InlineData(5, 200)]
    public void Committed_entries_survive_every_trouble_and_a_healed_cluster_agrees(int voters, int seeds)
    {
        var (elections, commits) = (0, 0);
        var all = OneSeed is null ? Enumerable.Range(1, seeds * Times).Select(s => (ulong)s) : [ulong.Parse(OneSeed, null)];
        foreach (var seed in all)
        {
            var cluster = new SimulatedCluster(seed, voters);
            try
            {
                cluster.Trouble(4000);
                cluster.Heal();
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException($"seed {seed}, {voters} voters: {failure.Message}", failure);
            }

            elections += cluster.Witness.Elections;
            commits += cluster.Witness.Commits;
        }

        // A simulation in which nothing happens proves nothing.
        Assert.True(OneSeed is not null || (elections > seeds && commits > seeds * 5), $"{elections} elections, {commits} commits");
    }
}
