using System.Text.Json;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;

namespace Orchestrator.Worker.Agent;

/// <summary>The agent's memory of its tasks over daemon restarts: one file each, the assignment with the last observed status.</summary>
/// <remarks>Not synced to disk, for the reason given at the containers' records: a machine that crashes runs none of them.</remarks>
internal sealed class TaskRecords(string? root)
{
    internal IReadOnlyList<TaskAssignment> Load()
    {
        if (root is null)
            return [];
        Directory.CreateDirectory(root);
        var tasks = new List<TaskAssignment>();
        foreach (var file in Directory.EnumerateFiles(root, "*.json").Order(StringComparer.Ordinal))
        {
            try
            {
                tasks.Add(ModelJson.Read<TaskAssignment>(File.ReadAllBytes(file)));
            }
            catch (JsonException)
            {
                File.Delete(file); // cut off by a crash of the machine; the manager says it again
            }
        }

        return tasks;
    }

    internal void Save(TaskAssignment task)
    {
        if (root is null)
            return;
        var path = PathOf(task.Task.Id);
        File.WriteAllBytes(path + ".next", ModelJson.Write(task));
        File.Move(path + ".next", path, overwrite: true);
    }

    internal void Delete(TaskId task)
    {
        if (root is not null)
            File.Delete(PathOf(task));
    }

    private string PathOf(TaskId task) => Path.Combine(root!, task.Value + ".json");
}
