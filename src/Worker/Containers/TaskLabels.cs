namespace Orchestrator.Worker.Containers;

/// <summary>The labels by which a task's container is known, as Swarm's.</summary>
internal static class TaskLabels
{
    internal const string Task = "com.docker.swarm.task";
    internal const string TaskId = "com.docker.swarm.task.id";
    internal const string TaskName = "com.docker.swarm.task.name";
    internal const string NodeId = "com.docker.swarm.node.id";
    internal const string ServiceId = "com.docker.swarm.service.id";
    internal const string ServiceName = "com.docker.swarm.service.name";
}
