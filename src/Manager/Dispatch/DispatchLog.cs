using Microsoft.Extensions.Logging;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Dispatch;

internal static partial class DispatchLog
{
    [LoggerMessage(1, LogLevel.Information, "Node {Node} opened session {Session}")]
    public static partial void SessionOpened(this ILogger log, NodeId node, string session);

    [LoggerMessage(2, LogLevel.Warning, "Node {Node} missed its heartbeats and is down")]
    public static partial void NodeDown(this ILogger log, NodeId node);

    [LoggerMessage(3, LogLevel.Warning, "The reports of {Count} nodes could not be stored: {Reason}")]
    public static partial void ReportsDropped(this ILogger log, int count, string reason);

    [LoggerMessage(4, LogLevel.Warning, "This manager stood still for {Seconds:0.0} s: no node is judged by that time")]
    public static partial void StoodStill(this ILogger log, double seconds);
}
