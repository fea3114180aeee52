using System.Globalization;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Tasks;

/// <summary>Which of its service's places a task has: a replica's number, or a node's id.</summary>
internal static class TaskPlace
{
    /// <summary>As the task's name says, <c>SERVICE.PLACE.ID</c>: the slots of jobs are counted from 0 in the API.</summary>
    internal static string Of(ServiceTask task)
    {
        var (before, after) = (task.ServiceName + ".", "." + task.Id.Value);
        if (task.Name is { } name && name.Length > before.Length + after.Length
            && name.StartsWith(before, StringComparison.Ordinal) && name.EndsWith(after, StringComparison.Ordinal))
        {
            return name[before.Length..^after.Length];
        }

        return task.Slot > 0 ? task.Slot.ToString(CultureInfo.InvariantCulture) : task.NodeId.Value ?? "";
    }
}
