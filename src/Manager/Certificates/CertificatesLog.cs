using Microsoft.Extensions.Logging;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Certificates;

internal static partial class CertificatesLog
{
    [LoggerMessage(1, LogLevel.Information, "Node {Node} joined as {Role} from {Address}")]
    public static partial void NodeJoined(this ILogger log, string node, NodeRole role, string address);

    [LoggerMessage(2, LogLevel.Information, "A certificate for node {Node} as {Role}, until {Ends}")]
    public static partial void Issued(this ILogger log, string node, NodeRole role, DateTimeOffset ends);

    [LoggerMessage(3, LogLevel.Information, "The CA's rotation is complete: every node has a certificate of the new root, the former one is trusted no more")]
    public static partial void Rotated(this ILogger log);

    [LoggerMessage(4, LogLevel.Information, "The CA's rotation waits for {Count} of {All} nodes: {Nodes}")]
    public static partial void RotationWaits(this ILogger log, int count, int all, string nodes);
}
