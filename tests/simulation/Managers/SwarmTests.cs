namespace Orchestrator.Tests.Simulation.Managers;

/// <summary>Managers with workers, services and clients; see <see cref="Runs"/> for how to run more, or one.</summary>
public sealed class SwarmTests(ITestOutputHelper output)
{
    [Fact]
    public void Services_outlive_every_trouble_and_a_leader_change_moves_no_task() =>
        output.WriteLine(Runs.Many(150, workers: true, swarm => swarm.ChangeLeader()));

    [Theory]
    [InlineData(12)]
    [InlineData(13)]
    public void The_same_script_has_the_same_transcript(ulong seed)
    {
        var script = Script.Of(seed, workers: true);
        var first = Runs.One(script, _ => { });
        var second = Runs.One(Script.Parse(script.ToString()), _ => { });
        Assert.Equal(first.Transcript, second.Transcript);
        Assert.Equal(first.Digest, second.Digest);
    }
}
