using Microsoft.Extensions.Logging;

namespace Orchestrator.Manager.Roles;

internal static partial class RoleLog
{
    [LoggerMessage(1, LogLevel.Information, "Manager {Member} leaves the consensus")]
    public static partial void Removing(this ILogger log, string member);

    [LoggerMessage(2, LogLevel.Information, "Manager {Member} left the consensus")]
    public static partial void Removed(this ILogger log, string member);

    [LoggerMessage(3, LogLevel.Warning, "A role waits: {Reason}")]
    public static partial void RoleWaits(this ILogger log, string reason);

    [LoggerMessage(4, LogLevel.Warning, "A role could not be changed, it is tried again: {Reason}")]
    public static partial void RoleChangeFailed(this ILogger log, string reason);

    [LoggerMessage(5, LogLevel.Information, "Manager {Node} is in the consensus")]
    public static partial void Admitted(this ILogger log, string node);

    [LoggerMessage(6, LogLevel.Information, "Node {Node} said farewell")]
    public static partial void SaidFarewell(this ILogger log, string node);

    [LoggerMessage(7, LogLevel.Information, "This manager is in the consensus")]
    public static partial void IsAdmitted(this ILogger log);

    [LoggerMessage(8, LogLevel.Warning, "This manager is not in the consensus yet: {Reason}")]
    public static partial void NotAdmitted(this ILogger log, string reason);

    [LoggerMessage(9, LogLevel.Debug, "This manager hears no leader and asked to be taken in again: {Reason}")]
    public static partial void StillAlone(this ILogger log, string reason);

    [LoggerMessage(10, LogLevel.Information, "Manager {Node} has begun with an empty journal: its former number {Former} leaves the consensus")]
    public static partial void Replaces(this ILogger log, string node, string former);

    [LoggerMessage(11, LogLevel.Warning, "This manager stops while it leads, and the others have to elect one: {Reason}")]
    public static partial void StopsAsLeader(this ILogger log, string reason);
}
