using Microsoft.Extensions.Logging;

namespace Orchestrator.Worker.Containers;

internal static partial class ContainerLog
{
    [LoggerMessage(1, LogLevel.Debug, "Container {Name} ({Id}) runs as pid {Pid}")]
    public static partial void ContainerStarted(this ILogger log, string name, string id, int pid);

    [LoggerMessage(2, LogLevel.Debug, "Container {Name} ({Id}) ended with {ExitCode}")]
    public static partial void ContainerEnded(this ILogger log, string name, string id, int exitCode);

    [LoggerMessage(3, LogLevel.Warning, "Container {Id}: {Warning}")]
    public static partial void ContainerWarning(this ILogger log, string id, string warning);

    [LoggerMessage(4, LogLevel.Error, "Container {Id}: {Work} failed")]
    public static partial void ContainerWorkFailed(this ILogger log, Exception failure, string id, string work);

    [LoggerMessage(5, LogLevel.Warning, "Container {Id} ended while nobody watched; its exit code is unknown and counts as a failure")]
    public static partial void ExitUnknown(this ILogger log, string id);

    [LoggerMessage(6, LogLevel.Information, "Took over {Running} running and {Stopped} stopped containers; removed {Leftovers} leftovers")]
    public static partial void Recovered(this ILogger log, int running, int stopped, int leftovers);

    [LoggerMessage(7, LogLevel.Warning, "Container {Id} did not stop in {Grace} and is killed")]
    public static partial void GraceIsOver(this ILogger log, string id, TimeSpan grace);

    [LoggerMessage(8, LogLevel.Warning, "Leftover container {Id} could not be removed")]
    public static partial void LeftoverStays(this ILogger log, Exception failure, string id);

    [LoggerMessage(9, LogLevel.Warning, "Container {Name} ({Id}) is unhealthy after {Failures} failed checks: {Said}")]
    public static partial void ContainerUnhealthy(this ILogger log, string name, string id, int failures, string said);

    [LoggerMessage(10, LogLevel.Error, "The state of container {Id} could not be recorded and is tried again: {Reason}")]
    public static partial void NotRecorded(this ILogger log, string id, string reason);
}
