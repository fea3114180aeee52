using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.State.Apply;

internal static class NodeSteps
{
    internal static void Update(Draft draft, UpdateNode command)
    {
        if (!draft.Nodes.TryGetValue(command.Id, out var node))
            draft.Refuse(RefusalKind.NotFound, $"node {command.Id} not found");
        else if (node.Version.Index != command.Version)
            draft.Refuse(RefusalKind.OutOfSequence, $"update out of sequence: node {command.Id} is at version {node.Version.Index}, not {command.Version}");
        else if (command.Spec.Role == NodeRole.Worker && IsLastManager(draft, node))
            draft.Refuse(RefusalKind.Conflict, "attempting to demote the last manager of the swarm", "Role");
        else if (command.Spec.Role == NodeRole.Manager && node.Spec.Role == NodeRole.Worker && node.Status.State is NodeState.Down)
            draft.Refuse(RefusalKind.Conflict, $"node {command.Id} is down: it can be promoted when it is back", "Role");
        else
            draft.Put(node with { Spec = command.Spec });
    }

    internal static void Remove(Draft draft, RemoveNode command)
    {
        if (!draft.Nodes.TryGetValue(command.Id, out var node))
        {
            draft.Refuse(RefusalKind.NotFound, $"node {command.Id} not found");
        }
        else if (node.Spec.Role == NodeRole.Manager || node.ManagerStatus is not null)
        {
            draft.Refuse(RefusalKind.Conflict, $"node {command.Id} is a manager of this cluster; it must be demoted to worker before removal");
        }
        else if (node.Status.State != NodeState.Down && !command.Force)
        {
            draft.Refuse(RefusalKind.Conflict, $"node {command.Id} is not down and can't be removed");
        }
        else
        {
            draft.Remove(command.Id);
            draft.Revoke(command.Id, RevocationKind.Removed);
            foreach (var task in draft.Tasks.Values.Where(t => t.NodeId == command.Id && !t.Status.State.IsTerminal()).ToList())
                draft.Put(task with { Status = task.Status with { State = TaskState.Orphaned, Timestamp = draft.At, Message = "node removed", Err = null } });
        }
    }

    internal static void Join(Draft draft, JoinNode command)
    {
        if (!draft.Nodes.ContainsKey(command.Node.Id))
            draft.Put(command.Node with { CreatedAt = draft.At });
    }

    internal static void Register(Draft draft, RegisterNode command)
    {
        if (draft.Nodes.TryGetValue(command.Id, out var node))
        {
            // An agent that does not know how others reach it leaves the address as the cluster has it.
            var port = command.Address.LastIndexOf(':');
            var address = command.Address.Length == 0 ? node.Status.Addr : port < 0 ? command.Address : command.Address[..port].Trim('[', ']');
            var description = command.Description with { TlsInfo = command.Description.TlsInfo ?? node.Description?.TlsInfo };
            draft.Put(node with { Description = description, Status = new() { State = NodeState.Ready, Addr = address }, ClusterAddr = port < 0 ? node.ClusterAddr : command.Address });
        }
    }

    internal static void ConfirmTls(Draft draft, ConfirmNodeTls command)
    {
        if (draft.Nodes.TryGetValue(command.Id, out var node) && node.Description?.TlsInfo != command.Tls)
            draft.Put(node with { Description = (node.Description ?? new()) with { TlsInfo = command.Tls } });
    }

    internal static void SetManager(Draft draft, SetManager command)
    {
        if (!draft.Nodes.TryGetValue(command.Id, out var node))
            return;
        if (command.Address is { } address && node.Spec.Role == NodeRole.Manager)
        {
            var next = new ManagerStatus { Addr = address, Member = command.Member ?? node.ManagerStatus?.Member };
            if (next != node.ManagerStatus)
                draft.Put(node with { ManagerStatus = next });
        }
        else if (command.Address is null && node.Spec.Role == NodeRole.Worker && node.ManagerStatus is not null)
        {
            draft.Put(node with { ManagerStatus = null });
            draft.Revoke(command.Id, RevocationKind.Demoted);
        }
    }

    internal static void Leave(Draft draft, LeaveNode command)
    {
        if (!draft.Nodes.TryGetValue(command.Id, out var node))
            return;
        if (IsLastManager(draft, node))
            draft.Refuse(RefusalKind.Conflict, $"node {command.Id} is the last manager of the swarm: its leaving ends the swarm");
        else
            draft.Put(node with { Spec = node.Spec with { Role = NodeRole.Worker }, Status = node.Status with { State = NodeState.Down, Message = "the node left the swarm" } });
    }

    internal static void BeginAnew(Draft draft, BeginAnew command)
    {
        foreach (var node in draft.Nodes.Values.Where(n => n.Spec.Role == NodeRole.Manager || n.ManagerStatus is not null).ToList())
        {
            if (node.Id == command.Self)
                draft.Put(node with { Spec = node.Spec with { Role = NodeRole.Manager }, ManagerStatus = new() { Addr = command.Address, Member = command.Member } });
            else
            {
                draft.Put(node with { Spec = node.Spec with { Role = NodeRole.Worker }, ManagerStatus = null, Status = node.Status with { State = NodeState.Down, Message = "the swarm was begun anew without this manager" } });
                draft.Revoke(node.Id, RevocationKind.Demoted);
            }
        }
    }

    private static bool IsLastManager(Draft draft, Node node) =>
        node.Spec.Role == NodeRole.Manager && draft.Nodes.Values.Count(n => n.Spec.Role == NodeRole.Manager) == 1;

    internal static void SetState(Draft draft, SetNodeState command)
    {
        if (draft.Nodes.TryGetValue(command.Id, out var node) && node.Status.State != command.State)
            draft.Put(node with { Status = node.Status with { State = command.State, Message = command.Message } });
    }
}
