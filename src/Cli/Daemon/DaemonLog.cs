using Microsoft.Extensions.Logging;

namespace Orchestrator.Cli.Daemon;

internal static partial class DaemonLog
{
    [LoggerMessage(1, LogLevel.Information, "orch {Version} is ready after {Milliseconds:0} ms: API on {Sockets}")]
    public static partial void Ready(this ILogger log, string version, double milliseconds, string sockets);

    [LoggerMessage(2, LogLevel.Information, "Stopping ({Reason}); containers run on")]
    public static partial void Stopping(this ILogger log, string reason);

    [LoggerMessage(3, LogLevel.Information, "Stopped")]
    public static partial void Stopped(this ILogger log);

    [LoggerMessage(4, LogLevel.Critical, "A part of the daemon failed; the daemon ends")]
    public static partial void PartFailed(this ILogger log, Exception failure);

    [LoggerMessage(5, LogLevel.Information, "This node {Node} is a manager of cluster {Cluster}")]
    public static partial void Manages(this ILogger log, string node, string cluster);

    [LoggerMessage(6, LogLevel.Information, "This node {Node} left its cluster")]
    public static partial void Left(this ILogger log, string node);

    [LoggerMessage(7, LogLevel.Error, "{What} did not stop cleanly")]
    public static partial void StopFailed(this ILogger log, Exception failure, string what);

    [LoggerMessage(8, LogLevel.Warning, "The service manager could not be told: {Reason}")]
    public static partial void NoticeFailed(this ILogger log, string reason);

    [LoggerMessage(9, LogLevel.Information, "This node {Node} is a {Role} of cluster {Cluster}, reached at {Address}")]
    public static partial void IsMember(this ILogger log, string node, string role, string cluster, string address);

    [LoggerMessage(10, LogLevel.Warning, "This node's manager is locked: {Reason}")]
    public static partial void ManagerLocked(this ILogger log, string reason);

    [LoggerMessage(11, LogLevel.Warning, "The managers could not be told that this node leaves: {Reason}; remove it there with \"orch node rm --force\"")]
    public static partial void FarewellUnheard(this ILogger log, string reason);

    [LoggerMessage(12, LogLevel.Information, "This node {Node} becomes a {Role}")]
    public static partial void RoleChanges(this ILogger log, string node, string role);

    [LoggerMessage(13, LogLevel.Warning, "Cluster {Cluster} was begun anew with this manager {Node} alone")]
    public static partial void BeganAnew(this ILogger log, string node, string cluster);

    [LoggerMessage(14, LogLevel.Warning, "This manager {Node} has no journal: it begins an empty one, as another member of the consensus")]
    public static partial void BornAgain(this ILogger log, string node);

    [LoggerMessage(15, LogLevel.Warning, "A client at {Endpoint} is refused: {Reason}")]
    public static partial void ApiClientRefused(this ILogger log, string endpoint, string reason);

    [LoggerMessage(20, LogLevel.Information, "This node's certificate is renewed: {Role}, until {Ends}")]
    public static partial void Renewed(this ILogger log, Shared.Model.NodeRole role, DateTimeOffset ends);

    [LoggerMessage(21, LogLevel.Warning, "This node's certificate could not be renewed or confirmed: {Reason}; tried again in {Seconds} s. It ends at {Ends}")]
    public static partial void RenewalFailed(this ILogger log, string reason, double seconds, DateTimeOffset ends);

    [LoggerMessage(22, LogLevel.Warning, "{Method} {Path} of another node at {Address} is refused: {Reason}")]
    public static partial void ReachRefused(this ILogger log, string method, string path, string address, string reason);

    [LoggerMessage(23, LogLevel.Warning, "{Method} {Path} for {What} on node {Node} was cut: {Reason}")]
    public static partial void ReachBroke(this ILogger log, string method, string path, string what, string node, string reason);
}
