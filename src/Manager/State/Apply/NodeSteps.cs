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
        else if (node.Spec.Role == NodeRole.Manager && command.Spec.Role == NodeRole.Worker
            && draft.Nodes.Values.Count(n => n.Spec.Role == NodeRole.Manager) == 1)
            draft.Refuse(RefusalKind.Conflict, "attempting to demote the last manager of the swarm", "Role");
        else if (node.Spec.Role != command.Spec.Role)
            draft.Refuse(RefusalKind.Invalid, "changing the role of a node is not supported yet", "Role");
        else
            draft.Put(node with { Spec = command.Spec });
    }

    internal static void Remove(Draft draft, RemoveNode command)
    {
        if (!draft.Nodes.TryGetValue(command.Id, out var node))
        {
            draft.Refuse(RefusalKind.NotFound, $"node {command.Id} not found");
        }
        else if (node.Spec.Role == NodeRole.Manager)
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
            var address = command.Address.Length > 0 ? command.Address : node.Status.Addr;
            var description = command.Description with { TlsInfo = command.Description.TlsInfo ?? node.Description?.TlsInfo };
            draft.Put(node with { Description = description, Status = new() { State = NodeState.Ready, Addr = address } });
        }
    }

    internal static void ConfirmTls(Draft draft, ConfirmNodeTls command)
    {
        if (draft.Nodes.TryGetValue(command.Id, out var node) && node.Description?.TlsInfo != command.Tls)
            draft.Put(node with { Description = (node.Description ?? new()) with { TlsInfo = command.Tls } });
    }

    internal static void SetState(Draft draft, SetNodeState command)
    {
        if (draft.Nodes.TryGetValue(command.Id, out var node) && node.Status.State != command.State)
            draft.Put(node with { Status = node.Status with { State = command.State, Message = command.Message } });
    }
}
