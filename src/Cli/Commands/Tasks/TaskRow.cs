using Orchestrator.Cli.Output;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Tasks;

/// <summary>A task as <c>service ps</c>, <c>stack ps</c> and <c>node ps</c> show it.</summary>
/// <param name="IsFormer">A newer task of the same slot stands above it.</param>
internal sealed record TaskRow(ServiceTask Task, string Name, string Node, bool IsFormer)
{
    private const int LongestError = 30;

    /// <summary>Newest first within a slot, slots in order, former tasks under their successor.</summary>
    internal static IReadOnlyList<TaskRow> Order(
        IReadOnlyList<ServiceTask> tasks, Func<ServiceTask, string> service, Func<NodeId, string> node)
    {
        var rows = new List<TaskRow>();
        var slots = tasks
            .GroupBy(t => (Service: service(t), t.Slot, Place: TaskPlace.Of(t)))
            .OrderBy(g => g.Key.Service, StringComparer.Ordinal)
            .ThenBy(g => g.Key.Slot)
            .ThenBy(g => g.Key.Place, StringComparer.Ordinal);
        foreach (var slot in slots)
        {
            foreach (var task in slot.OrderByDescending(t => t.CreatedAt).ThenByDescending(t => t.Version.Index))
            {
                var name = $"{slot.Key.Service}.{slot.Key.Place}";
                rows.Add(new TaskRow(task, name, task.NodeId.Value is { Length: > 0 } ? node(task.NodeId) : "", rows.Count > 0 && rows[^1].Name == name));
            }
        }
        return rows;
    }

    internal static Listing<TaskRow> Listing(bool noTrunc, DateTimeOffset now) => new(
        [
            new("ID", "ID", r => Texts.Id(r.Task.Id.Value, noTrunc)),
            new("Name", "NAME", r => r.IsFormer ? $" \\_ {r.Name}" : r.Name),
            new("Image", "IMAGE", r => Texts.Image(r.Task.Spec.ContainerSpec?.Image ?? "", noTrunc)),
            new("Node", "NODE", r => r.Node),
            new("DesiredState", "DESIRED STATE", r => r.Task.DesiredState.ToString()),
            new("CurrentState", "CURRENT STATE", r => $"{r.Task.Status.State} {Humanized.Ago(r.Task.Status.Timestamp, now).ToLowerInvariant()}"),
            new("Error", "ERROR", r => Error(r.Task.Status.Err, noTrunc)),
            new("Ports", "PORTS", r => Texts.HostPorts(r.Task)),
        ],
        ["ID", "Name", "Image", "Node", "DesiredState", "CurrentState", "Error", "Ports"]);

    private static string Error(string? error, bool noTrunc)
    {
        if (string.IsNullOrEmpty(error))
            return "";
        var line = error.ReplaceLineEndings(" ");
        return !noTrunc && line.Length > LongestError ? $"\"{line[..(LongestError - 1)]}…\"" : $"\"{line}\"";
    }
}
