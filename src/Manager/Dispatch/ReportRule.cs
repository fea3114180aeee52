using Orchestrator.Manager.State;
using Orchestrator.Shared.Protocol;
using Orchestrator.Shared.Rpc;

namespace Orchestrator.Manager.Dispatch;

/// <summary>What of a node's report is worth an entry. Apply holds to the same rule, whatever is in the log.</summary>
internal static class ReportRule
{
    /// <summary>The report without tasks that were forgotten meanwhile.</summary>
    /// <exception cref="RpcException">It speaks of another node's task: no agent of ours does.</exception>
    internal static TaskStatusReport Own(ClusterState state, TaskStatusReport report)
    {
        if (report.Updates.FirstOrDefault(u => state.Tasks.TryGetValue(u.TaskId, out var task) && task.NodeId != report.NodeId) is { } foreign)
            throw new RpcException(RpcStatus.PermissionDenied, $"task {foreign.TaskId} is not node {report.NodeId}'s: a node reports its own tasks alone");
        return report.Updates.All(u => state.Tasks.ContainsKey(u.TaskId)) ? report : report with { Updates = [.. report.Updates.Where(u => state.Tasks.ContainsKey(u.TaskId))] };
    }
}
