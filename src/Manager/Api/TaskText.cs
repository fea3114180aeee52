using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Api;

/// <summary>What a task is called.</summary>
internal static class TaskText
{
    /// <summary><c>NAME.SLOT</c>, for a global service's task <c>NAME.NODE</c>.</summary>
    internal static string ShortName(ServiceTask task) =>
        $"{task.ServiceName}.{(task.Slot > 0 ? task.Slot.ToString(System.Globalization.CultureInfo.InvariantCulture) : task.NodeId.Value)}";

    /// <summary>The same and the task's id: the name of its container.</summary>
    internal static string Name(ServiceTask task) => $"{ShortName(task)}.{task.Id}";
}
