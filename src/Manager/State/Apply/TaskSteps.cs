using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.State.Apply;

internal static class TaskSteps
{
    internal static void Create(Draft draft, CreateTasks command)
    {
        foreach (var plan in command.Tasks)
        {
            if (!draft.Services.TryGetValue(plan.ServiceId, out var service) || service.PendingDelete
                || service.SpecVersion.Index != plan.SpecVersion || draft.Tasks.ContainsKey(plan.Id))
                continue;
            draft.Put(new ServiceTask
            {
                Id = plan.Id,
                CreatedAt = draft.At,
                Spec = service.Spec.TaskTemplate,
                ServiceId = plan.ServiceId,
                ServiceName = service.Spec.Name,
                Name = TaskName(service.Spec.Name, plan),
                SpecVersion = service.SpecVersion,
                Slot = plan.Slot,
                NodeId = plan.NodeId,
                DesiredState = plan.DesiredState,
                NotBefore = plan.NotBefore,
                Relief = plan.Relief,
                JobIteration = service.JobStatus?.JobIteration,
                HostPorts = HostPorts(service.Spec),
                Status = new() { Timestamp = draft.At, State = TaskState.New, Message = "created" },
            });
        }
    }

    internal static void SetDesired(Draft draft, SetDesiredStates command)
    {
        foreach (var change in command.Tasks)
        {
            if (draft.Tasks.TryGetValue(change.Id, out var task) && task.DesiredState < change.State)
                draft.Put(task with { DesiredState = change.State });
        }
    }

    internal static void Attach(Draft draft, AttachTasks command)
    {
        foreach (var plan in command.Tasks)
        {
            if (draft.Tasks.TryGetValue(plan.Id, out var task) && task.Status.State == TaskState.New)
            {
                draft.Put(task with
                {
                    NetworksAttachments = plan.Attachments,
                    Status = new() { Timestamp = draft.At, State = TaskState.Pending, Message = "pending task scheduling" },
                });
            }
        }
    }

    internal static void Place(Draft draft, PlaceTasks command)
    {
        foreach (var plan in command.Tasks)
        {
            if (draft.Tasks.TryGetValue(plan.Id, out var task) && task.Status.State == TaskState.Pending && draft.Nodes.ContainsKey(plan.NodeId))
            {
                draft.Put(task with
                {
                    NodeId = plan.NodeId,
                    Status = new() { Timestamp = draft.At, State = TaskState.Assigned, Message = "scheduler assigned task to node" },
                });
            }
        }
    }

    internal static void Explain(Draft draft, ExplainTasks command)
    {
        foreach (var plan in command.Tasks)
        {
            if (draft.Tasks.TryGetValue(plan.Id, out var task) && MayExplain(task))
                draft.Put(task with { Status = task.Status with { Timestamp = draft.At, Err = plan.Error } });
        }
    }

    /// <summary>It waits for a place, or is prepared and waits for its turn: of the rest the node speaks.</summary>
    private static bool MayExplain(ServiceTask task) =>
        task.Status.State < TaskState.Assigned || task is { Status.State: TaskState.Ready, DesiredState: TaskState.Ready };

    internal static void Delete(Draft draft, DeleteTasks command)
    {
        foreach (var id in command.Ids)
        {
            if (draft.Tasks.TryGetValue(id, out var task) && IsGone(task))
                draft.Remove(id);
        }
    }

    /// <summary>A node speaks for its own tasks only, and a state only grows; the rest of a report is dropped.</summary>
    internal static void Report(Draft draft, ReportTasks command)
    {
        foreach (var report in command.Nodes)
        {
            foreach (var update in report.Updates)
            {
                if (!draft.Tasks.TryGetValue(update.TaskId, out var task) || task.NodeId != report.NodeId
                    || task.Status.State.IsTerminal() || update.Status.State < task.Status.State || task.Status.State < TaskState.Assigned)
                    continue;
                var container = update.Status.ContainerStatus ?? task.Status.ContainerStatus;
                draft.Put(task with
                {
                    Status = update.Status with { ContainerStatus = container },
                    RunningSince = task.RunningSince ?? (update.Status.State == TaskState.Running ? draft.At : null),
                });
            }
        }
    }

    /// <summary>Nothing of the task is on any host: it never reached one, or it ended there.</summary>
    internal static bool IsGone(ServiceTask task) =>
        task.DesiredState > TaskState.Running && (task.Status.State.IsTerminal() || task.Status.State < TaskState.Assigned);

    internal static IReadOnlyList<PortConfig> HostPorts(ServiceSpec spec) =>
        [.. (spec.EndpointSpec?.Ports ?? []).Where(p => p.PublishMode == "host")];

    private static string TaskName(string service, NewTask plan) =>
        plan.NodeId.Value is { Length: > 0 } node ? $"{service}.{node}.{plan.Id}" : FormattableString.Invariant($"{service}.{plan.Slot}.{plan.Id}");
}
