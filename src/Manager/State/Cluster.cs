using System.Collections.Concurrent;
using System.Globalization;
using Orchestrator.Manager.Raft;
using Orchestrator.Manager.State.Apply;

namespace Orchestrator.Manager.State;

/// <summary>The replicated state on this node: the log drives it, readers take <see cref="Current"/>, proposers wait for their entry's outcome.</summary>
/// <param name="process">A random number of this process, so that no other's entries are taken for its own.</param>
internal sealed class Cluster(ulong process) : ICluster, IReplicatedMachine
{
    private readonly ConcurrentDictionary<ulong, Waiter> waiting = new();
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
    internal Task ReachAsync(ulong index, CancellationToken stop) =>
        current.Index >= index ? Task.CompletedTask : broadcast.WantedAsync(() => current, state => state.Index >= index, stop);

    /// <summary>As <see cref="ProposeAsync"/>, on this node alone and at once.</summary>
    /// <exception cref="ClusterUnavailableException">It does not lead, or leads no more.</exception>
    internal Task<Outcome> ProposeAsLeaderAsync(Command command, CancellationToken stop) => AsLeaderAsync(ProposeHereAsync(command, stop));

    /// <summary>As <see cref="ProposeAsLeaderAsync(Command, CancellationToken)"/>, of a command that another manager sent.</summary>
    /// <param name="json">What it was read from: it becomes the entry as it is.</param>
    /// <param name="command">What was read, which is therefore what every manager will read.</param>
    /// <param name="stop">Ends the wait.</param>
    internal Task<Outcome> ProposeAsLeaderAsync(ReadOnlyMemory<byte> json, Command command, CancellationToken stop) =>
        AsLeaderAsync(ProposeHereAsync(command, json, stop));

    /// <summary>As <see cref="ProposeAsLeaderAsync(Command, CancellationToken)"/>, with Raft's own words for what went wrong.</summary>
    /// <exception cref="NotLeaderException">It does not lead.</exception>
    /// <exception cref="ProposalDroppedException">It leads no more.</exception>
    internal Task<Outcome> ProposeHereAsync(Command command, CancellationToken stop) => ProposeHereAsync(command, null, stop);

    private static async Task<Outcome> AsLeaderAsync(Task<Outcome> proposal)
    {
        try
        {
            return await proposal;
        }
        catch (Exception failure) when (failure is NotLeaderException or ProposalDroppedException)
        {
            throw new ClusterUnavailableException(failure.Message, failure);
        }
    }

    private async Task<Outcome> ProposeHereAsync(Command command, ReadOnlyMemory<byte>? json, CancellationToken stop)
    {
        var seen = current;
        if ((Preflight.Check(seen, command) ?? guard?.Invoke(seen, command)) is { } refusal)
            return new(seen.Index, refusal);
        var log = proposer ?? throw new ClusterUnavailableException("this node is not part of a cluster: run \"orch swarm init\" first");
        var number = Interlocked.Increment(ref proposals);
        var tag = new ProposalTag(process, number);
        var waiter = new Waiter(json is null ? null : command);
        waiting[number] = waiter;
        try
        {
            await log.ProposeAsync(json is { } bytes ? EntryCodec.Write(tag, bytes.Span) : EntryCodec.Write(tag, command), stop);

            // Applied here already: the log answers after Apply, which set the outcome.
            return await waiter.Task;
        }
        finally
        {
            waiting.TryRemove(number, out _);
        }
    }

    public IAsyncEnumerable<StateChange> WatchAsync(CancellationToken stop) => broadcast.Subscribe(() => current, stop);

    /// <summary>Completes with a state newer than <paramref name="seen"/>: at once if there is one.</summary>
    internal Task<ClusterState> NewerThanAsync(ulong seen, CancellationToken stop) => broadcast.WantedAsync(() => current, state => state.Index > seen, stop);

    /// <summary>Completes with a state in which one of the parts is another than in <paramref name="seen"/>: at once if there is one.</summary>
    internal Task<ClusterState> NewerThanAsync(ClusterState seen, StateParts parts, CancellationToken stop) =>
        broadcast.WantedAsync(() => current, state => state.Differs(seen, parts), stop);

    public void Apply(ulong index, ReadOnlyMemory<byte> entry)
    {
        var tag = EntryCodec.ReadTag(entry.Span);
        var waiter = tag.Process == process ? waiting.GetValueOrDefault(tag.Number) : null;
        var applied = Applying.Run(current, index, waiter?.AsRead ?? EntryCodec.ReadCommand(entry.Span));
        current = applied.State;
        broadcast.Publish(applied);
        waiter?.TrySetResult(applied.Outcome);
    }

    public ISnapshot Capture() => new Snapshot(current);

    public async Task RestoreAsync(Stream snapshot, CancellationToken stop)
    {
        var restored = await StateSnapshot.ReadAsync(snapshot, stop);
        current = restored;
        broadcast.Restored(restored);
    }

    /// <param name="asRead">What the entry's bytes were read as; null where they were written from a command, which may hold more than its JSON.</param>
    private sealed class Waiter(Command? asRead) : TaskCompletionSource<Outcome>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        internal Command? AsRead { get; } = asRead;
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
