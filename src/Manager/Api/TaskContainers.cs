using Orchestrator.Manager.State;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Api;

/// <summary>Which of the names of a task's container count.</summary>
internal enum TaskNaming
{
    /// <summary>The container's id, the task's id, and what the task is called.</summary>
    Any,

    /// <summary>Not the task's bare id: where any kind of object is looked for, that is the task.</summary>
    NotByTaskId,
}

/// <summary>Finds the containers of the cluster's tasks, wherever they are, as the tasks' states tell of them.</summary>
internal static class TaskContainers
{
    /// <summary>Shorter beginnings of ids are words: an image or a network may be called so.</summary>
    private const int ShortestBeginning = 4;

    /// <summary>By a container's or task's whole id or a task's whole name, which mean the same for ever; null: there is none, or it has no container.</summary>
    internal static ServiceTask? TryFindExact(ClusterState state, string reference, TaskNaming naming)
    {
        var name = reference.TrimStart('/');
        var last = name[(name.LastIndexOf('.') + 1)..];
        if (state.Tasks.TryGetValue(new TaskId(last), out var task) && HasContainer(task) && (last.Length < name.Length ? TaskText.Name(task) == name : naming == TaskNaming.Any))
            return task;
        return name.Length == 64 ? state.Tasks.Values.FirstOrDefault(t => t.Status.ContainerStatus?.ContainerId == name) : null;
    }

    /// <summary>The same; then by <c>NAME.SLOT</c>, the one that runs before those that did; then by an id's beginning.</summary>
    /// <exception cref="ApiException">400 when several fit, 409 when what fits has no container.</exception>
    internal static ServiceTask? TryFind(ClusterState state, string reference, TaskNaming naming)
    {
        if (TryFindExact(state, reference, naming) is { } exact)
            return exact;
        var name = reference.TrimStart('/');
        if (name.Length == 0)
            return null;
        List<ServiceTask> called = [.. state.Tasks.Values.Where(t => IsCalled(t, name) || (naming == TaskNaming.Any && t.Id.Value == name))];
        return called.Count > 0 ? OfOneName(called, name) : ByBeginning(state, name, naming);
    }

    /// <summary>A name that only a task has, or its id: worth an answer also where there is no manager to look it up.</summary>
    internal static bool LooksLikeTask(string reference)
    {
        var parts = reference.TrimStart('/').Split('.');
        if (reference.AsSpan().ContainsAny(':', '@'))
            return false; // an image's
        return (parts is [{ Length: > 0 }, .., { Length: 25 } id] && IsClusterId(id)) || (parts is [{ Length: > 0 }, .., { Length: > 0 } slot] && slot.All(char.IsAsciiDigit));
    }

    /// <summary>Whether it may be worth waiting for newer news of tasks to find it; what is only a word is not.</summary>
    internal static bool MayName(string reference) =>
        LooksLikeTask(reference) || (reference.Length == 25 && IsClusterId(reference)) || (reference.Length >= ShortestBeginning && reference.All(char.IsAsciiHexDigitLower));

    private static bool IsCalled(ServiceTask task, string name) =>
        name.StartsWith(task.ServiceName, StringComparison.Ordinal) && (TaskText.ShortName(task) == name || TaskText.Name(task) == name);

    private static ServiceTask OfOneName(List<ServiceTask> called, string name)
    {
        List<ServiceTask> running = [.. called.Where(t => HasContainer(t) && t.DesiredState <= TaskState.Running && t.Status.State == TaskState.Running)];
        if (running.Count > 1)
            throw new ApiException(400, $"{name} is ambiguous, two of its tasks run: use {string.Join(" or ", running.Select(TaskText.Name).Order(StringComparer.Ordinal))}");
        if (running is [var one])
            return one;
        if (called.Where(HasContainer).OrderByDescending(t => t.CreatedAt).ThenBy(t => t.Id.Value, StringComparer.Ordinal).FirstOrDefault() is { } latest)
            return latest;
        var task = called.MaxBy(t => t.CreatedAt)!;
        var why = task.Status.Err ?? task.Status.Message;
        throw new ApiException(409, $"task {TaskText.Name(task)} has no container: it is {task.Status.State.ToString().ToLowerInvariant()}{(why is { Length: > 0 } ? $" ({why})" : "")}");
    }

    private static ServiceTask? ByBeginning(ClusterState state, string name, TaskNaming naming)
    {
        var hex = name.All(char.IsAsciiHexDigitLower);
        var id = naming == TaskNaming.Any && IsClusterId(name);
        if (name.Length < ShortestBeginning || (!hex && !id))
            return null;
        List<ServiceTask> begun =
        [
            .. state.Tasks.Values.Where(t => HasContainer(t)
                && ((hex && t.Status.ContainerStatus!.ContainerId.StartsWith(name, StringComparison.Ordinal)) || (id && t.Id.Value.StartsWith(name, StringComparison.Ordinal)))),
        ];
        return begun.Count switch
        {
            0 => null,
            1 => begun[0],
            _ => throw new ApiException(400, $"{name} is ambiguous: {begun.Count} tasks' containers or tasks have ids that begin so; use more of the id"),
        };
    }

    private static bool HasContainer(ServiceTask task) => task.NodeId.Value is { Length: > 0 } && task.Status.ContainerStatus is { ContainerId.Length: > 0 };

    private static bool IsClusterId(string text) => text.All(c => c is (>= '0' and <= '9') or (>= 'a' and <= 'z'));
}
