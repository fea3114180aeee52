using System.Text.Json;
using Microsoft.Extensions.Logging;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Shared.Rpc;

namespace Orchestrator.Manager.Roles;

/// <summary>The leader's answers to one caller, whose certificate says who it is; what it may do is what the state says it is now.</summary>
internal sealed class ControlService(Cluster cluster, IManagers managers, NodeId caller, TimeProvider time, ILogger log) : IControl
{
    public async Task<ProposeReply> ProposeAsync(ProposeRequest request, CancellationToken stop)
    {
        RequireManager();
        Command command;
        try
        {
            command = ControlLink.Read(request.Command);
        }
        catch (JsonException unknown)
        {
            throw new RpcException(RpcStatus.InvalidArgument, $"the command is of no kind this manager knows: {unknown.Message}", unknown);
        }

        if (command is LeaderCommand or InitSwarm or BeginAnew || command.RequestId is not { Length: > 0 })
            throw new RpcException(RpcStatus.PermissionDenied, $"a {command.GetType().Name} is not for another manager to write");
        var outcome = await LedAsync(() => cluster.ProposeAsLeaderAsync(request.Command, command, stop));
        return new() { Outcome = JsonSerializer.SerializeToUtf8Bytes(outcome, StateJson.Outcome) };
    }

    public async Task<AdmitReply> AdmitAsync(AdmitRequest request, CancellationToken stop)
    {
        RequireSelf(request.NodeId);
        RequireLeading();
        if (request.Member == 0)
            throw new RpcException(RpcStatus.InvalidArgument, "a manager has to say the number of its journal");
        var status = RequireWanted();
        var member = new MemberKey(request.Member);
        await LedAsync(async () =>
        {
            // Of two numbers of one node never both vote: the former goes first.
            var former = MemberNumber.Of(caller, status.Member);
            if (former != member && managers.View.Members.Any(m => m.Key == former))
            {
                log.Replaces(caller.Value, $"{former.Value:x}");
                await managers.RemoveAsync(former, stop);
            }

            var address = request.Address.Length > 0 ? request.Address : status.Addr;
            if (status.Addr != address || former != member)
                await cluster.ProposeAsLeaderAsync(new SetManager(caller, address, request.Member) { At = time.GetUtcNow() }, stop);
            if (MemberNumber.Of(caller, RequireWanted().Member) != member)
                throw new ManagersException($"another manager of node {caller} asked to be admitted at the same time: ask again");
            await managers.AddAsync(member, stop);
            return true;
        });
        log.Admitted(caller.Value);
        return new();
    }

    public async Task<LeaveReply> LeaveAsync(LeaveRequest request, CancellationToken stop)
    {
        RequireSelf(request.NodeId);
        RequireLeading();
        if (!cluster.Current.Nodes.TryGetValue(caller, out var node))
            return new();
        if (node is not { Status.State: NodeState.Down, Spec.Role: NodeRole.Worker })
        {
            var outcome = await LedAsync(() => cluster.ProposeAsLeaderAsync(new LeaveNode(caller) { At = time.GetUtcNow() }, stop));
            if (outcome.Refusal is { } refusal)
                throw new RpcException(RpcStatus.FailedPrecondition, refusal.Message);
            log.SaidFarewell(caller.Value);
        }

        // A manager is told when it counts no more: from then on its silence costs the others nothing.
        while (cluster.Current is var state && state.Nodes.TryGetValue(caller, out var leaving) && leaving.ManagerStatus is not null)
        {
            RequireLeading();
            await cluster.NewerThanAsync(state.Index, stop);
        }

        return new();
    }

    private void RequireSelf(NodeId node)
    {
        if (node != caller)
            throw new RpcException(RpcStatus.PermissionDenied, $"node {caller} speaks for itself alone, not for node {node}");
    }

    /// <summary>A certificate outlives a demotion and a removal: the state decides.</summary>
    private Node RequireManager() =>
        cluster.Current.Nodes.TryGetValue(caller, out var node) && node.ManagerStatus is not null
            ? node
            : throw new RpcException(RpcStatus.PermissionDenied, $"node {caller} is not a manager of this swarm");

    /// <summary>A manager that is on its way out is not taken in again.</summary>
    private ManagerStatus RequireWanted() => RequireManager() is { Spec.Role: NodeRole.Manager } node
        ? node.ManagerStatus!
        : throw new RpcException(RpcStatus.FailedPrecondition, $"node {caller} is being demoted");

    private void RequireLeading()
    {
        var view = managers.View;
        if (view.Leader != view.Self)
            throw NotLeading("this manager is not the leader", null);
    }

    private async Task<T> LedAsync<T>(Func<Task<T>> act)
    {
        try
        {
            return await act();
        }
        catch (ClusterUnavailableException lost)
        {
            throw NotLeading(lost.Message, lost);
        }
        catch (ManagersException refused)
        {
            throw new RpcException(RpcStatus.FailedPrecondition, refused.Message, refused);
        }
    }

    private RpcException NotLeading(string reason, Exception? inner)
    {
        var address = managers.View.Leader is { } leader && cluster.Current.Nodes.TryGetValue(leader, out var node) ? node.ManagerStatus?.Addr : null;
        return new(RpcStatus.Unavailable, reason, inner)
        {
            Trailers = address is { Length: > 0 } ? RpcMetadata.Empty.With(ControlRpc.LeaderTrailer, address) : RpcMetadata.Empty,
        };
    }
}
