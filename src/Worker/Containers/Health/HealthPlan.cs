using Orchestrator.Shared.Model;

namespace Orchestrator.Worker.Containers.Health;

/// <summary>What a probe makes of a container's health, and when the next one is due (moby, <c>daemon/health.go</c>).</summary>
internal static class HealthPlan
{
    internal const string Starting = "starting";
    internal const string Healthy = "healthy";
    internal const string Unhealthy = "unhealthy";

    private const int MostProbes = 5;

    /// <summary>At each start of the container; the last run's probes stay to be seen.</summary>
    internal static ContainerHealth Begin(ContainerHealth? before) => new() { Status = Starting, Log = before?.Log ?? [] };

    internal static ContainerHealth After(HealthCheck check, ContainerHealth before, HealthProbe probe, DateTimeOffset startedAt)
    {
        IReadOnlyList<HealthProbe> log = [.. before.Log.TakeLast(MostProbes - 1), probe];
        if (probe.ExitCode == 0)
            return new() { Status = Healthy, FailingStreak = 0, Log = log };

        // Until it was healthy once, failures of the start period do not count.
        if (before.Status == Starting && probe.Start - startedAt < check.StartPeriod)
            return before with { Log = log };
        var streak = before.FailingStreak + 1;
        return new() { Status = streak >= check.Retries ? Unhealthy : before.Status, FailingStreak = streak, Log = log };
    }

    /// <summary>From the end of one probe, or from the start, to the next probe.</summary>
    internal static TimeSpan Pause(HealthCheck check, ContainerHealth health, DateTimeOffset startedAt, DateTimeOffset now) =>
        health.Status == Starting && now - startedAt < check.StartPeriod ? check.StartInterval : check.Interval;

    /// <summary>What <c>docker ps</c> adds to a running container's status.</summary>
    internal static string Suffix(ContainerHealth? health) => health?.Status switch
    {
        null => "",
        Starting => " (health: starting)",
        var status => $" ({status})",
    };

    /// <summary>What the newest probe found, in a line; null when it found nothing wrong.</summary>
    internal static string? Complaint(ContainerHealth health)
    {
        if (health.Log.Count == 0 || health.Log[^1] is not { ExitCode: not 0 } probe)
            return null;
        var printed = string.Join(' ', probe.Output.Split(['\n', '\r', '\t', ' '], StringSplitOptions.RemoveEmptyEntries));
        if (printed.Length > MostComplaint)
            printed = printed[..MostComplaint] + "…";
        return printed.Length > 0 ? printed : $"the health check exited with {probe.ExitCode} and printed nothing";
    }

    private const int MostComplaint = 500;
}
