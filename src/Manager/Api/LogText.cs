using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Api;

/// <summary>What is said about logs that are not all there.</summary>
internal static class LogText
{
    /// <summary>In Docker's words.</summary>
    internal static string Incomplete(IEnumerable<string> reasons) =>
        $"warning: incomplete log stream. some logs could not be retrieved for the following reasons: {string.Join(", ", reasons.Order(StringComparer.Ordinal))}";

    /// <summary>A task that was never given a container has written nothing.</summary>
    internal static bool HasLog(ServiceTask task) => task.NodeId.Value is { Length: > 0 } && task.Status.State >= TaskState.Starting
        && task.Status.ContainerStatus is { ContainerId.Length: > 0 };
}
