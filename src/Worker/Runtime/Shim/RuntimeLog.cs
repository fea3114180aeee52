using Microsoft.Extensions.Logging;

namespace Orchestrator.Worker.Runtime.Shim;

internal static partial class RuntimeLog
{
    [LoggerMessage(1, LogLevel.Information, "Container {Id} started as process {Pid}")]
    public static partial void Started(this ILogger log, string id, int pid);

    [LoggerMessage(2, LogLevel.Warning, "Container {Id}: {Warning}")]
    public static partial void Warned(this ILogger log, string id, string warning);

    [LoggerMessage(3, LogLevel.Information, "Container {Id} ended with {Code}")]
    public static partial void Ended(this ILogger log, string id, int code);

    [LoggerMessage(4, LogLevel.Warning, "The log of container {Id} does not hold all of its output")]
    public static partial void LogBroken(this ILogger log, Exception error, string id);

    [LoggerMessage(7, LogLevel.Warning, "A session at container {Id} was cut off: {Reason}")]
    public static partial void SessionCut(this ILogger log, string id, string reason);

    [LoggerMessage(5, LogLevel.Critical, "The event loop of the containers died")]
    public static partial void LoopDied(this ILogger log, Exception error);

    [LoggerMessage(6, LogLevel.Warning, "What container {Id} left behind could not be removed; deleting it again tries again")]
    public static partial void NotRemoved(this ILogger log, Exception error, string id);

    [LoggerMessage(20, LogLevel.Warning, "The exit of container {Id} could not be noted: a shim that comes after this one will not know it")]
    public static partial void NotNoted(this ILogger log, Exception error, string id);

    [LoggerMessage(21, LogLevel.Information, "Took over container {Id}, process {Pid}")]
    public static partial void TookOver(this ILogger log, string id, int pid);

    [LoggerMessage(22, LogLevel.Information, "Container {Id} ended while no shim was there")]
    public static partial void EndedUnseen(this ILogger log, string id);

    [LoggerMessage(23, LogLevel.Information, "Removed {Leftover}, which an earlier shim has left")]
    public static partial void LeftoverRemoved(this ILogger log, string leftover);

    [LoggerMessage(24, LogLevel.Warning, "{Leftover}, left by an earlier shim, could not be removed: {Reason}")]
    public static partial void LeftoverRemains(this ILogger log, string leftover, string reason);

    [LoggerMessage(25, LogLevel.Information, "Becoming {Program} in place")]
    public static partial void Becoming(this ILogger log, string program);

    [LoggerMessage(26, LogLevel.Error, "The shim could not be replaced in place and goes on as it is: {Reason}")]
    public static partial void BecomingFailed(this ILogger log, string reason);

    [LoggerMessage(27, LogLevel.Warning, "The shim's memory is not given back to the host any more")]
    public static partial void ThriftEnded(this ILogger log, Exception error);

    [LoggerMessage(28, LogLevel.Warning, "Container {Id} is not held beside the shim, which alone will see its end: {Reason}")]
    public static partial void NotKept(this ILogger log, string id, string reason);
}
