namespace Orchestrator.Tests.Simulation.Managers;

/// <summary>Scripts that failed once, as they were printed, and what was wrong.</summary>
public sealed class RegressionTests
{
    [Theory]
    [InlineData(
        "a deadline less than a millisecond away had the watch over heartbeats spin",
        "8 5 0 3 2 56 6 12618; 1608 Cut 5 5; 1624 Isolate 3 0; 2246 Cut 4 2; 2387 Heal 0 0; 3683 Crash 0 0; 4031 Crash 2 0; 9145 Cut 5 7; 9852 Cycle 0 0; 10025 Cut 9 6; 10261 SlowDisk 1 331; 10545 Divide 4 0")]
    [InlineData(
        "a node that opened its session while the word of its end was on its way to the log stayed down for good",
        "8 5 0 3 2 56 6 12618; 1608 Cut 5 5; 1624 Isolate 3 0; 2246 Cut 4 2; 2387 Heal 0 0; 3683 Crash 0 0; 4031 Crash 2 0; 9145 Cut 5 7; 9852 Cycle 0 0; 10025 Cut 9 6; 10261 SlowDisk 1 331; 10545 Divide 4 0; 12552 Pause 2 2096")]
    [InlineData(
        "a manager that was put out and taken in again voted with its old number and an empty disk for one that had missed both",
        "7 3 1 0 2 60 19 14000; 1000 Isolate 2 0; 1100 Add 3 0; 3500 Remove 1 0; 6000 Heal 0 0; 6000 Divide 6 0; 6001 Add 1 0")]
    [InlineData("a learner whose first round was slow was never promoted while nobody wrote", "491 5 2 0 3 12 0 8262")]
    public void It_stays_mended(string wrong, string script)
    {
        Assert.NotEmpty(wrong);
        new SimulatedSwarm(Script.Parse(script)).Live();
    }
}
