using System.Collections.Immutable;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Orchestration;

/// <summary>One place of a service, a replica's number or a global service's node, with all its tasks, oldest first.</summary>
internal sealed record Slot(int Number, NodeId Node, ImmutableArray<ServiceTask> Tasks)
{
    internal ServiceTask Newest => Tasks[^1];

    /// <summary>Tasks that are meant to run, now or after a delay: more than one only while an update starts the new one first.</summary>
    internal IEnumerable<ServiceTask> Live => Tasks.Where(t => t.DesiredState <= TaskState.Running);

    internal bool HasLive => Live.Any();

    /// <summary>The slot's work is over: its newest task ended and its policy wants no other. It counts as filled.</summary>
    internal bool IsFinished =>
        !HasLive && Newest.DesiredState == TaskState.Shutdown && !Restarts.RestartRule.WantsAnother(Newest, this, Newest.UpdatedAt);

    internal bool IsFilled => HasLive || IsFinished;

    /// <summary>Of a job the present run's alone: those of former ones are the job plan's to remove.</summary>
    internal static IReadOnlyList<Slot> Of(Service service, IEnumerable<ServiceTask> tasks)
    {
        var global = service.Spec.Mode.IsGlobal;
        return
        [
            .. tasks.Where(t => t.JobIteration == service.JobStatus?.JobIteration).GroupBy(t => (t.Slot, Node: global ? t.NodeId : default))
                .OrderBy(g => g.Key.Slot).ThenBy(g => g.Key.Node)
                .Select(g => new Slot(g.Key.Slot, g.Key.Node, [.. g.OrderBy(t => t.CreatedAt).ThenBy(t => t.Id)])),
        ];
    }

    /// <summary>Every service that still stands, with its slots.</summary>
    internal static IEnumerable<(Service Service, IReadOnlyList<Slot> Slots)> All(ClusterState state)
    {
        var byService = state.Tasks.Values.ToLookup(t => t.ServiceId);
        return state.Services.Values.Where(s => !s.PendingDelete).Select(s => (s, Of(s, byService[s.Id])));
    }

    /// <summary>A task that has to wait for other services is prepared meanwhile.</summary>
    internal static TaskState FirstDesired(string? waits) => waits is null ? TaskState.Running : TaskState.Ready;

    internal NewTask Replacement(Service service, TaskId id, TaskState desired, DateTimeOffset? notBefore = null, TaskRelief? relief = null) =>
        new(id, service.Id, service.SpecVersion.Index, Number, Node, desired, notBefore, relief);

    /// <summary>The live task that was made to take over from this one.</summary>
    internal ServiceTask? ReliefOf(ServiceTask task) => Live.FirstOrDefault(t => t.Relief?.TaskId == task.Id);

    /// <summary>The live task from which this one is to take over.</summary>
    internal ServiceTask? RelievedBy(ServiceTask task) => task.Relief is { } relief ? Live.FirstOrDefault(t => t.Id == relief.TaskId) : null;

    /// <summary>The new task beside an old one that an update already started.</summary>
    internal ServiceTask? SuccessorOf(Service service, ServiceTask task) => ReferenceEquals(task.Spec, service.Spec.TaskTemplate)
        ? null
        : Live.FirstOrDefault(t => t.Id != task.Id && ReferenceEquals(t.Spec, service.Spec.TaskTemplate));
}
