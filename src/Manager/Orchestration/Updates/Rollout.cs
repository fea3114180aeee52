using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Orchestration.Updates;

internal enum FailureAction
{
    Pause,
    Continue,
    RollBack,
}

/// <summary>How a service's tasks are replaced, with Swarm's defaults filled in.</summary>
internal sealed record Rollout(int Parallelism, TimeSpan Delay, FailureAction OnFailure, TimeSpan Monitor, double MaxFailureRatio, bool StartFirst)
{
    private static readonly TimeSpan DefaultMonitor = TimeSpan.FromSeconds(5);

    /// <summary>No configuration means one at a time; a parallelism of 0 means all at once.</summary>
    internal static Rollout Of(UpdateConfig? config) => new(
        config is null ? 1 : config.Parallelism is 0 or > int.MaxValue ? int.MaxValue : (int)config.Parallelism,
        config?.Delay ?? TimeSpan.Zero,
        config?.FailureAction switch { "continue" => FailureAction.Continue, "rollback" => FailureAction.RollBack, _ => FailureAction.Pause },
        config is null || config.Monitor == TimeSpan.Zero ? DefaultMonitor : config.Monitor,
        config?.MaxFailureRatio ?? 0,
        config?.Order == "start-first");
}
