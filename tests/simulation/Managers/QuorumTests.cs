namespace Orchestrator.Tests.Simulation.Managers;

/// <summary>Managers and their clients alone; see <see cref="Runs"/> for how to run more, or one.</summary>
public sealed class QuorumTests(ITestOutputHelper output)
{
    [Fact]
    public void Nothing_that_was_answered_is_lost_or_done_twice_and_reads_are_never_old() =>
        output.WriteLine(Runs.Many(850, workers: false, _ => { }));

    [Theory]
    [InlineData(11)]
    [InlineData(14)]
    public void The_same_script_has_the_same_transcript(ulong seed)
    {
        var script = Script.Of(seed, workers: false);
        var first = Runs.One(script, _ => { });
        var second = Runs.One(Script.Parse(script.ToString()), _ => { });
        Assert.Equal(first.Transcript, second.Transcript);
        Assert.Equal(first.Digest, second.Digest);
    }
}
