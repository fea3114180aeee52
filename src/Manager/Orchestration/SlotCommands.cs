using Orchestrator.Manager.State;

namespace Orchestrator.Manager.Orchestration;

/// <summary>The commands of a room that makes tasks and moves desired states.</summary>
internal static class SlotCommands
{
    internal static IReadOnlyList<Command> Of(IReadOnlyList<NewTask> create, IReadOnlyList<DesiredChange> change, DateTimeOffset now)
    {
        var commands = new List<Command>(2);
        if (change.Count > 0)
            commands.Add(new SetDesiredStates(change) { At = now });
        if (create.Count > 0)
            commands.Add(new CreateTasks(create) { At = now });
        return commands;
    }
}
