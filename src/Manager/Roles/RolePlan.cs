using System.Collections.Immutable;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Roles;

/// <summary>What the leader does next so that the roles in force are those asked for.</summary>
/// <param name="Commands">Into the log first.</param>
/// <param name="Remove">Then this one out of the consensus, one at a time.</param>
/// <param name="Waits">What is asked for and cannot be yet, a sentence each.</param>
internal sealed record RoleDecision(ImmutableArray<Command> Commands, ManagerMember? Remove, ImmutableArray<string> Waits);

/// <summary>
/// Roles change in an order that a crash may break anywhere. Up: the spec, then <see cref="Node.ManagerStatus"/>, then the node starts its
/// manager and asks to be admitted. Down: the spec, then out of the consensus, then <see cref="Node.ManagerStatus"/> goes, which tells the node.
/// </summary>
internal static class RolePlan
{
    internal static RoleDecision Plan(ClusterState state, ManagersView view, DateTimeOffset now)
    {
        var commands = ImmutableArray.CreateBuilder<Command>();
        var waits = ImmutableArray.CreateBuilder<string>();
        ManagerMember? remove = null;
        foreach (var node in state.Nodes.Values)
        {
            var member = view.Of(node.Id);
            if (node.Spec.Role == NodeRole.Manager)
            {
                if (node.ManagerStatus is null && node.Status.State != NodeState.Ready)
                    waits.Add($"node {node.Id} becomes a manager when it is ready; it is {Words(node.Status.State)}");
                else if (Address(node) is { } address && address != node.ManagerStatus?.Addr)
                    commands.Add(new SetManager(node.Id, address) { At = now });
            }
            else if (node.ManagerStatus is not null && member is null)
            {
                commands.Add(new SetManager(node.Id, null) { At = now });
            }
        }

        foreach (var member in view.Members.OrderBy(m => m.Node == view.Self))
        {
            var node = member.Node is { } id ? state.Nodes.GetValueOrDefault(id) : null;
            if (node is { Spec.Role: NodeRole.Manager } || (node is { Spec.Role: NodeRole.Worker, ManagerStatus: null } && member.Node == view.Self && view.Members.Length == 1))
                continue;
            if (view.Members.Length > 1 && view.HasQuorumWithout(member.Key))
                remove ??= member;
            else
                waits.Add(NoQuorum(node?.Id.Value ?? $"{member.Key.Value:x}"));
        }

        return new(commands.ToImmutable(), remove, waits.ToImmutable());
    }

    /// <summary>Refuses at once what would wait: a demotion after which the managers that are left could decide nothing.</summary>
    internal static Refusal? Refuse(ClusterState state, ManagersView view, Command command)
    {
        var leaves = command switch
        {
            UpdateNode { Spec.Role: NodeRole.Worker } update => update.Id,
            LeaveNode leave => leave.Id,
            _ => (NodeId?)null,
        };
        if (leaves is not { } id || !state.Nodes.TryGetValue(id, out var node) || node.Spec.Role != NodeRole.Manager)
            return null;
        return view.Members.Length > 1 && view.Of(id) is { } member && !view.HasQuorumWithout(member.Key)
            ? new(RefusalKind.Conflict, [new("Role", NoQuorum(id.Value))])
            : null;
    }

    /// <summary>Where the node answers other nodes, <c>host:port</c>; null: not known.</summary>
    internal static string? Address(Node node) =>
        node.ClusterAddr is { Length: > 0 } told ? told
        : node.ManagerStatus is { Addr.Length: > 0 } manages ? manages.Addr
        : null;

    private static string NoQuorum(string node) =>
        $"manager {node} is needed: without it too few of the others can be reached for a majority; bring an unreachable manager back, or demote that one first";

    private static string Words(NodeState state) => state switch
    {
        NodeState.Down => "down",
        NodeState.Disconnected => "disconnected",
        _ => "not heard from yet",
    };
}
