using Orchestrator.Manager.Raft;
using Orchestrator.Manager.Raft.Core;
using Orchestrator.Manager.State;

namespace Orchestrator.Tests.Unit.Manager.State;

public sealed class ForwardingTests
{
    [Fact]
    public async Task A_read_that_a_known_leader_never_answers_ends_with_a_sentence()
    {
        var log = new Unanswered();
        using var forwarding = new Forwarding(new Cluster(1), new PeerId(1), log, new Nowhere(), new Hasty());
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var following = forwarding.RunAsync(stop.Token);

        var told = await Assert.ThrowsAsync<ClusterUnavailableException>(() => forwarding.FreshAsync(stop.Token));

        Assert.Equal(Forwarding.Silent, told.Message);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => following);
    }

    /// <summary>Hears a leader, and has no answer from it.</summary>
    private sealed class Unanswered : IProposer
    {
        public LeadershipStatus Current { get; } = new(7, new PeerId(2), false);

        public MembershipView Members => MembershipView.None;

        public Task ReadIndexAsync(CancellationToken stop) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);

        public async IAsyncEnumerable<LeadershipStatus> WatchLeadershipAsync([System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stop)
        {
            yield return Current;
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
        }

        public IAsyncEnumerable<MembershipView> WatchMembersAsync(CancellationToken stop) => throw new NotSupportedException();

        public Task<ulong> ProposeAsync(ReadOnlyMemory<byte> entry, CancellationToken stop) => throw new NotSupportedException();

        public Task AddMemberAsync(PeerId peer, CancellationToken stop) => throw new NotSupportedException();

        public Task RemoveMemberAsync(PeerId peer, CancellationToken stop) => throw new NotSupportedException();

        public Task TransferAsync(PeerId to, CancellationToken stop) => throw new NotSupportedException();
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
