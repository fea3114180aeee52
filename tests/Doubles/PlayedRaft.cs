using System.Runtime.CompilerServices;
using Orchestrator.Manager.Raft;
using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Tests.Doubles;

/// <summary>Raft as the rooms above it know it, without a log: it says who leads as it is told to, and until more is played no leader answers.</summary>
internal class PlayedRaft(TimeProvider clock) : IProposer
{
    private TaskCompletionSource changed = new();

    public LeadershipStatus Current { get; private set; } = LeadershipStatus.Unknown;

    public virtual MembershipView Members => MembershipView.None;

    /// <summary>Completes when something else is said of who leads.</summary>
    protected Task Changed => changed.Task;

    internal void Say(LeadershipStatus status)
    {
        Current = status;
        var told = changed;
        changed = new();
        told.SetResult();
    }

    public async IAsyncEnumerable<LeadershipStatus> WatchLeadershipAsync([EnumeratorCancellation] CancellationToken stop)
    {
        while (true)
        {
            var next = Changed;
            yield return Current;
            await next.WaitAsync(stop);
        }
    }

    public async IAsyncEnumerable<MembershipView> WatchMembersAsync([EnumeratorCancellation] CancellationToken stop)
    {
        yield return Members;
        await Task.Delay(Timeout.InfiniteTimeSpan, clock, stop);
    }

    public virtual Task ReadIndexAsync(CancellationToken stop) => Task.Delay(Timeout.InfiniteTimeSpan, clock, stop);

    public virtual Task<ulong> ProposeAsync(ReadOnlyMemory<byte> entry, CancellationToken stop) => throw new NotSupportedException("there is no log here");

    public Task AddMemberAsync(PeerId peer, CancellationToken stop) => throw Unplayed();

    public Task RemoveMemberAsync(PeerId peer, CancellationToken stop) => throw Unplayed();

    public Task TransferAsync(PeerId to, CancellationToken stop) => throw Unplayed();

    private static NotSupportedException Unplayed() => new("members do not change here");
}
