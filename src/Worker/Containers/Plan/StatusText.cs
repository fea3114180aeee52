namespace Orchestrator.Worker.Containers.Plan;

/// <summary>The words of <c>docker ps</c> (go-units <c>HumanDuration</c>, moby <c>State.String</c>).</summary>
internal static class StatusText
{
    internal static string Of(ContainerStatus status, int exitCode, DateTimeOffset? startedAt, DateTimeOffset? finishedAt, DateTimeOffset now) =>
        status switch
        {
            ContainerStatus.Created => "Created",
            ContainerStatus.Running => "Up " + Human(now - (startedAt ?? now)),
            ContainerStatus.Restarting => $"Restarting ({exitCode}) {Human(now - (finishedAt ?? now))} ago",
            ContainerStatus.Removing => "Removal In Progress",
            ContainerStatus.Dead => "Dead",
            ContainerStatus.Exited => $"Exited ({exitCode}) {Human(now - (finishedAt ?? now))} ago",
            _ => throw new System.Diagnostics.UnreachableException(),
        };

    /// <summary>Rough and readable: <c>3 minutes</c>, <c>About an hour</c>.</summary>
    internal static string Human(TimeSpan span)
    {
        var hours = (int)(span.TotalHours + 0.5);
        return span.TotalSeconds switch
        {
            < 1 => "Less than a second",
            < 2 => "1 second",
            < 60 => $"{(int)span.TotalSeconds} seconds",
            < 120 => "About a minute",
            < 3600 => $"{(int)span.TotalMinutes} minutes",
            _ => hours switch
            {
                1 => "About an hour",
                < 48 => $"{hours} hours",
                < 24 * 7 * 2 => $"{hours / 24} days",
                < 24 * 30 * 2 => $"{hours / 24 / 7} weeks",
                < 24 * 365 * 2 => $"{hours / 24 / 30} months",
                _ => $"{(int)(span.TotalHours / 24 / 365)} years",
            },
        };
    }
}
