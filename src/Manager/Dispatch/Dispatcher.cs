using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Shared.Rpc;

namespace Orchestrator.Manager.Dispatch;

/// <summary>The leader's side of the agents' sessions. It answers while <see cref="RunAsync"/> runs, and refuses otherwise.</summary>
/// <param name="cluster">The state, and the door to the log.</param>
/// <param name="leader">The address of the manager that leads, as far as this one knows: told to who comes here instead.</param>
/// <param name="time">The clock.</param>
/// <param name="ids">Names sessions.</param>
/// <param name="jitter">In [0, 1): spreads the nodes' heartbeats over half a period.</param>
/// <param name="log">The room's.</param>
internal sealed partial class Dispatcher(
    Cluster cluster, Func<string?> leader, TimeProvider time, IdSource ids, Func<double> jitter, ILogger log) : IDispatcher
{
    /// <summary>Why a node is down, in Swarm's words.</summary>
    private const string Silent = "heartbeat failure for node in \"ready\" state";

    private readonly Lock guard = new();
    private readonly Dictionary<NodeId, Session> sessions = [];
    private readonly Heartbeats heartbeats = new();
    private readonly long began = time.GetTimestamp();
    private CancellationToken? running;

    public async IAsyncEnumerable<Assignments> SessionAsync(SessionRequest request, [EnumeratorCancellation] CancellationToken stop)
    {
        var node = request.NodeId;
        using var session = Open(node, stop);
        try
        {
            // Said at once, so that a node knows a leader that has much to do from one that is gone.
            var told = Told.Nothing with { Sequence = 1 };
            yield return new() { SessionId = session.Id, Sequence = told.Sequence, Partial = true };
            await FreshAsync(node, session.Ended, stop);
            await RegisterAsync(request, session.Ended, stop);
            log.SessionOpened(node, session.Id);
            while (true)
            {
                var state = cluster.Current;
                if (state.Nodes.TryGetValue(node, out var stored) && stored.Status.State == NodeState.Down)
                {
                    // The word that it is late was on its way to the log when this session began.
                    await RegisterAsync(request, session.Ended, stop);
                    continue;
                }

                (var message, told) = AssignmentPlan.Plan(state, node, session.Id, told);
                if (message is not null)
                    yield return message;
                if (message is { Partial: true })
                    continue;
                if (!await session.NewerAsync(cluster, state, stop))
                    yield break;
            }
        }
        finally
        {
            Close(node, session);
        }
    }

    public Task<HeartbeatReply> HeartbeatAsync(HeartbeatRequest request, CancellationToken stop)
    {
        var period = Period;
        lock (guard)
        {
            Known(request.NodeId, request.SessionId);
            heartbeats.Heard(request.NodeId, Now, period);
        }

        return Task.FromResult(new HeartbeatReply { Period = period * (1 - (jitter() / 2)) });
    }

    private TimeSpan Period
    {
        get
        {
            var state = cluster.Current;
            var wanted = state.Swarm?.Spec.Dispatcher.HeartbeatPeriod is { } period && period > TimeSpan.Zero ? period : TimeSpan.FromSeconds(1);
            return Heartbeats.Period(wanted, state.Nodes.Count);
        }
    }

    private TimeSpan Now => time.GetElapsedTime(began);

    private Session Open(NodeId node, CancellationToken caller)
    {
        lock (guard)
        {
            var term = running ?? throw NotLeading();
            if (!cluster.Current.Nodes.ContainsKey(node))
                throw NoMember(node);
            if (sessions.Remove(node, out var older))
                older.End();
            var session = new Session(ids.Next(), CancellationTokenSource.CreateLinkedTokenSource(term, caller));
            sessions[node] = session;
            heartbeats.Heard(node, Now, Period);
            return session;
        }
    }

    /// <summary>Tells the cluster that the node is ready and what it offers, unless it knows.</summary>
    private async Task RegisterAsync(SessionRequest request, CancellationToken ended, CancellationToken caller)
    {
        var node = cluster.Current.Nodes.GetValueOrDefault(request.NodeId);
        if (node is { Status.State: NodeState.Ready, Description: { } known } && (request.Address.Length == 0 || request.Address == node.ClusterAddr || request.Address == node.Status.Addr)
            && ModelJson.Write(known with { TlsInfo = null }).AsSpan().SequenceEqual(ModelJson.Write(request.Description with { TlsInfo = null })))
            return;
        var offered = request.Description with { TlsInfo = null };
        await BeginAsync(request.NodeId, () => cluster.ProposeAsync(new RegisterNode(request.NodeId, offered, request.Address) { At = time.GetUtcNow() }, ended), caller);
    }

    /// <summary>A manager that was deposed and does not know it would give the node a set without its newest tasks, which it would then remove.</summary>
    private Task FreshAsync(NodeId node, CancellationToken ended, CancellationToken caller) => BeginAsync(node, () => cluster.FreshAsync(ended), caller);

    private static async Task BeginAsync(NodeId node, Func<Task> work, CancellationToken caller)
    {
        try
        {
            await work();
        }
        catch (OperationCanceledException) when (!caller.IsCancellationRequested)
        {
            throw new RpcException(RpcStatus.Aborted, $"the session of node {node} ended before it began: open a new one");
        }
        catch (ClusterUnavailableException failure)
        {
            throw new RpcException(RpcStatus.Unavailable, failure.Message, failure);
        }
    }

    private void Close(NodeId node, Session session)
    {
        lock (guard)
        {
            // Silence, not the end of a stream, makes a node down: its agent opens another session at once.
            if (sessions.TryGetValue(node, out var open) && open == session)
                sessions.Remove(node);
        }
    }

    /// <summary>Under the lock: the session is the node's open one.</summary>
    private void Known(NodeId node, string session)
    {
        if (running is null)
            throw NotLeading();
        if (!sessions.TryGetValue(node, out var open) || open.Id != session)
            throw new RpcException(RpcStatus.FailedPrecondition, $"session {session} of node {node} is over: open a new one");
    }

    private static RpcException NoMember(NodeId node) => new(RpcStatus.NotFound, $"node {node} is not a member of this cluster");

    private RpcException NotLeading() => leader() is { Length: > 0 } address
        ? new(RpcStatus.Unavailable, $"this manager is not the leader: {address} is") { Trailers = RpcMetadata.Empty.With(DispatcherRpc.LeaderTrailer, address) }
        : new(RpcStatus.Unavailable, "this manager is not the leader, and knows of none");
}
