using Orchestrator.Shared.Hosting;
using Orchestrator.Shared.Model;

namespace Orchestrator.Worker.Containers.Plan;

/// <summary>Whether and when a plain container is started again, by Docker's rules (moby, <c>restartmanager</c>).</summary>
internal static class RestartPlan
{
    /// <summary>A container that ran this long is healthy again: the next delay is the first.</summary>
    internal static readonly TimeSpan Healthy = TimeSpan.FromSeconds(10);

    // No jitter: the containers of one host do not crowd anybody.
    private static readonly Backoff Delays = new() { First = TimeSpan.FromMilliseconds(100), Most = TimeSpan.FromMinutes(1) };

    /// <summary>The delay before the next start; null: it stays down.</summary>
    /// <param name="policy">The container's.</param>
    /// <param name="exitCode">How it ended.</param>
    /// <param name="stoppedByUser">A stop is an order that a policy does not undo.</param>
    /// <param name="restarts">How often it was restarted since its last start by a user.</param>
    /// <param name="quickExits">How often in a row it ended before it was <see cref="Healthy"/>; 1 or more.</param>
    internal static TimeSpan? After(ContainerRestartPolicy? policy, int exitCode, bool stoppedByUser, int restarts, int quickExits)
    {
        if (stoppedByUser || policy is null)
            return null;
        var again = policy.Name switch
        {
            "always" or "unless-stopped" => true,
            "on-failure" => exitCode != 0 && (policy.MaximumRetryCount == 0 || restarts < policy.MaximumRetryCount),
            _ => false,
        };
        return again ? Delays.Delay(Math.Min(quickExits, 20), 0) : null;
    }

    /// <summary>Whether a daemon that finds the container down starts it: <c>always</c> undoes even a stop.</summary>
    internal static bool AtDaemonStart(ContainerRestartPolicy? policy, int exitCode, bool wasRunning, bool stoppedByUser) => policy?.Name switch
    {
        "always" => wasRunning || stoppedByUser,
        "unless-stopped" => wasRunning && !stoppedByUser,
        "on-failure" => wasRunning && !stoppedByUser && exitCode != 0,
        _ => false,
    };

    internal static void Check(ContainerRestartPolicy? policy, bool autoRemove, List<Problem> problems)
    {
        const string where = "HostConfig.RestartPolicy";
        if (policy is null)
            return;
        if (policy.Name is not ("" or "no" or "always" or "unless-stopped" or "on-failure"))
            problems.Add(new Problem(where, $"invalid restart policy '{policy.Name}'"));
        if (policy.MaximumRetryCount < 0)
            problems.Add(new Problem(where, "maximum retry count cannot be negative"));
        if (policy.MaximumRetryCount > 0 && policy.Name != "on-failure")
            problems.Add(new Problem(where, "maximum retry count can only be used with 'on-failure'"));
        if (autoRemove && policy.Name is not ("" or "no"))
            problems.Add(new Problem(where, "can't create 'AutoRemove' container with restart policy"));
    }
}
