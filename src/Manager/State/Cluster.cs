using System.Collections.Concurrent;
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
    private ulong proposals;

    public ClusterState Current => current;

    /// <summary>Names the door to the log: cluster and log need each other, so one comes second.</summary>
    internal void ProposeThrough(IProposer log) => proposer = log;

    public async Task<Outcome> ProposeAsync(Command command, CancellationToken stop)
    {
        if (Preflight.Check(current, command) is { } refusal)
            return new(current.Index, refusal);
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
        catch (NotLeaderException failure)
        {
            throw new ClusterUnavailableException(failure.Message, failure);
        }
        catch (ProposalDroppedException failure)
        {
            throw new ClusterUnavailableException(failure.Message, failure);
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
