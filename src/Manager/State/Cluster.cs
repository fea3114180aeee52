using System.Collections.Concurrent;
using System.Globalization;
using Orchestrator.Manager.Raft;
using Orchestrator.Manager.State.Apply;

namespace Orchestrator.Manager.State;

/// <summary>The replicated state on this node: the log drives it, readers take <see cref="Current"/>, proposers wait for their entry's outcome.</summary>
/// <param name="process">A random number of this process, so that no other's entries are taken for its own.</param>
internal sealed class Cluster(ulong process) : ICluster, IReplicatedMachine
{
    private readonly ConcurrentDictionary<ulong, TaskCompletionSource<Outcome>> waiting = new();
    private readonly ChangeBroadcast broadcast = new();
    private volatile ClusterState current = ClusterState.Empty;
    private IProposer? proposer;
    private Forwarding? forwarding;
    private Func<ClusterState, Command, Refusal?>? guard;
    private ulong proposals;
    private ulong requests;

    public ClusterState Current => current;

    /// <summary>Names the door to the log: cluster and log need each other, so one comes second.</summary>
    internal void ProposeThrough(IProposer log) => proposer = log;

    /// <summary>Has other managers take what this one can't while it does not lead. None: it is refused then.</summary>
    internal void ForwardThrough(Forwarding door) => forwarding = door;

    /// <summary>What a leader refuses for reasons outside of the state, such as managers that are not to be reached.</summary>
    internal void GuardBy(Func<ClusterState, Command, Refusal?> refuse) => guard = refuse;

    public Task<Outcome> ProposeAsync(Command command, CancellationToken stop)
    {
        if (forwarding is not { } door || command is LeaderCommand)
            return ProposeAsLeaderAsync(command, stop);
        if (Preflight.Check(current, command) is { } refusal)
            return Task.FromResult(new Outcome(current.Index, refusal));
        var id = command.RequestId ?? string.Create(CultureInfo.InvariantCulture, $"{process:x}-{Interlocked.Increment(ref requests):x}");
        return door.ProposeAsync(command with { RequestId = id }, stop);
    }

    public async Task<ClusterState> FreshAsync(CancellationToken stop)
    {
        if (forwarding is { } door)
            await door.FreshAsync(stop);
        return current;
    }

    /// <summary>Completes when this node's state is at the index or past it.</summary>
    internal async Task ReachAsync(ulong index, CancellationToken stop)
    {
        while (current.Index < index)
            await NewerThanAsync(current.Index, stop);
    }

    /// <summary>As <see cref="ProposeAsync"/>, on this node alone and at once.</summary>
    /// <exception cref="ClusterUnavailableException">It does not lead, or leads no more.</exception>
    internal async Task<Outcome> ProposeAsLeaderAsync(Command command, CancellationToken stop)
    {
        try
        {
            return await ProposeHereAsync(command, stop);
        }
        catch (Exception failure) when (failure is NotLeaderException or ProposalDroppedException)
        {
            throw new ClusterUnavailableException(failure.Message, failure);
        }
    }

    /// <summary>As <see cref="ProposeAsLeaderAsync"/>, with Raft's own words for what went wrong.</summary>
    /// <exception cref="NotLeaderException">It does not lead.</exception>
    /// <exception cref="ProposalDroppedException">It leads no more.</exception>
    internal async Task<Outcome> ProposeHereAsync(Command command, CancellationToken stop)
    {
        var seen = current;
        if ((Preflight.Check(seen, command) ?? guard?.Invoke(seen, command)) is { } refusal)
            return new(seen.Index, refusal);
        var log = proposer ?? throw new ClusterUnavailableException("this node is not part of a cluster: run \"orch swarm init\" first");
        var number = Interlocked.Increment(ref proposals);
        var applied = new TaskCompletionSource<Outcome>(TaskCreationOptions.RunContinuationsAsynchronously);
        waiting[number] = applied;
        try
        {
            await log.ProposeAsync(EntryCodec.Write(new(process, number), command), stop);

            // Applied here already: the log answers after Apply, which set the outcome.
            return await applied.Task;
        }
        finally
        {
            waiting.TryRemove(number, out _);
        }
    }

    public IAsyncEnumerable<StateChange> WatchAsync(CancellationToken stop) => broadcast.Subscribe(() => current, stop);

    /// <summary>Completes with a state newer than <paramref name="seen"/>: at once if there is one.</summary>
    internal Task<ClusterState> NewerThanAsync(ulong seen, CancellationToken stop) => broadcast.NewerAsync(() => current, seen, stop);

    public void Apply(ulong index, ReadOnlyMemory<byte> entry)
    {
        var (tag, command) = EntryCodec.Read(entry.Span);
        var applied = Applying.Run(current, index, command);
        current = applied.State;
        broadcast.Publish(applied);
        if (tag.Process == process && waiting.TryGetValue(tag.Number, out var waiter))
            waiter.TrySetResult(applied.Outcome);
    }

    public ISnapshot Capture() => new Snapshot(current);

    public async Task RestoreAsync(Stream snapshot, CancellationToken stop)
    {
        var restored = await StateSnapshot.ReadAsync(snapshot, stop);
        current = restored;
        broadcast.Restored();
    }

    private sealed class Snapshot(ClusterState state) : ISnapshot
    {
        public async Task WriteAsync(Stream target, CancellationToken stop)
        {
            foreach (var line in StateSnapshot.Lines(state))
                await target.WriteAsync(line, stop);
        }
    }
}
