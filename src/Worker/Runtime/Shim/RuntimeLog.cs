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
}
