using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;

namespace Orchestrator.Worker.Agent;

/// <summary>Swarm's placeholders in hostname, environment and mounts (<c>docker service create</c>, "create services using templates").</summary>
internal static class TaskTemplate
{
    internal static string Expand(string text, TaskAssignment assignment, string nodeHostname, List<Problem> problems)
    {
        if (!text.Contains("{{", StringComparison.Ordinal))
            return text;
        return TaskPlaceholders.Pattern.Replace(text, match =>
            Value(match.Groups["what"].Value, assignment, nodeHostname) ?? Unknown(match.Groups["what"].Value, text, problems));
    }

    /// <summary>What a placeholder stands for; null when it is none.</summary>
    internal static string? Value(string placeholder, TaskAssignment assignment, string nodeHostname)
    {
        var task = assignment.Task;
        return placeholder switch
        {
            ".Service.ID" => task.ServiceId.Value,
            ".Service.Name" => task.ServiceName,
            ".Node.ID" => task.NodeId.Value,
            ".Node.Hostname" => nodeHostname,
            ".Task.ID" => task.Id.Value,
            ".Task.Name" => TaskContainerPlan.NameOf(task),
            ".Task.Slot" => task.Slot > 0 ? task.Slot.ToString(System.Globalization.CultureInfo.InvariantCulture) : task.NodeId.Value,
            var label when TaskPlaceholders.Label.Match(label) is { Success: true } named => assignment.ServiceLabels.GetValueOrDefault(named.Groups["name"].Value, ""),
            _ => null,
        };
    }

    private static string Unknown(string placeholder, string text, List<Problem> problems)
    {
        problems.Add(new Problem("ContainerSpec", $"the template '{text}' holds '{placeholder}', which is not known"));
        return "";
    }
}
