using Orchestrator.Manager.Raft.Core;
using Orchestrator.Manager.State;
using Orchestrator.Tests.Doubles;

namespace Orchestrator.Tests.Unit.Manager.State;

public sealed class ForwardingTests
{
    [Fact]
    public async Task A_read_that_a_known_leader_never_answers_ends_with_a_sentence()
    {
        var log = new PlayedRaft(TimeProvider.System);
        log.Say(new(7, new PeerId(2), IsLeader: false));
        using var forwarding = new Forwarding(new Cluster(1), new PeerId(1), log, new Nowhere(), new Hasty());
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var following = forwarding.RunAsync(stop.Token);

        var told = await Assert.ThrowsAsync<ClusterUnavailableException>(() => forwarding.FreshAsync(stop.Token));

        Assert.Equal(Forwarding.Silent, told.Message);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => following);
    }

    private sealed class Nowhere : ILeaderLink
    {
        public Task<Outcome> ProposeAsync(PeerId leader, Command command, CancellationToken stop) => throw new NotSupportedException();
    }

    /// <summary>A thousand times as fast.</summary>
    private sealed class Hasty : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, dueTime > TimeSpan.Zero ? dueTime / 1000 : dueTime, period);
    }
}
