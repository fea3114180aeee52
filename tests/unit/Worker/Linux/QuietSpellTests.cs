using Orchestrator.Worker.Linux;

namespace Orchestrator.Tests.Unit.Worker.Linux;

public sealed class QuietSpellTests
{
    private const long Burst = 4 << 20;

    private readonly QuietSpell spell = new(Burst);

    [Fact]
    public void A_burst_is_over_at_the_first_quiet_period_and_only_once()
    {
        Assert.False(spell.IsOver(Burst));
        Assert.True(spell.IsOver(Burst + 1));
        Assert.False(spell.IsOver(Burst + 2));
    }

    [Fact]
    public void Work_that_goes_on_is_not_interrupted()
    {
        for (var period = 1; period < 100; period++)
            Assert.False(spell.IsOver(period * QuietSpell.Quiet));
    }

    [Fact]
    public void Small_work_adds_up_to_a_burst_in_the_end()
    {
        long allocated = 0;
        var periods = 1;
        while (!spell.IsOver(allocated += QuietSpell.Quiet / 2))
            periods++;
        Assert.Equal(Burst / (QuietSpell.Quiet / 2), periods);
    }
}
