using Microsoft.Extensions.Logging;
using Orchestrator.Shared.Model;

namespace Orchestrator.Worker.Agent;

internal static partial class AgentLog
{
    [LoggerMessage(1, LogLevel.Information, "Session {Session} with the dispatcher is open")]
    public static partial void SessionOpen(this ILogger log, string session);

    [LoggerMessage(2, LogLevel.Warning, "The session with the dispatcher broke: {Reason}; a new one is opened in {Delay}. What runs, runs on")]
    public static partial void SessionBroke(this ILogger log, string reason, TimeSpan delay);

    [LoggerMessage(3, LogLevel.Debug, "Task {Task} ({Name}) is {State}")]
    public static partial void TaskIs(this ILogger log, TaskId task, string name, TaskState state);

    [LoggerMessage(4, LogLevel.Warning, "Task {Task} ({Name}) is {State}: {Reason}")]
    public static partial void TaskEnded(this ILogger log, TaskId task, string name, TaskState state, string reason);

    [LoggerMessage(5, LogLevel.Warning, "{Count} task states could not be reported: {Reason}; tried again in {Delay}")]
    public static partial void ReportFailed(this ILogger log, int count, string reason, TimeSpan delay);

    [LoggerMessage(6, LogLevel.Error, "{Work} for assignment {Sequence} failed")]
    public static partial void AssignmentFailed(this ILogger log, Exception failure, string work, ulong sequence);

    [LoggerMessage(7, LogLevel.Error, "Task {Task}: {Work} failed; it is tried again in {Delay}")]
    public static partial void TaskWorkFailed(this ILogger log, Exception failure, TaskId task, TaskWork work, TimeSpan delay);

    [LoggerMessage(8, LogLevel.Information, "{Count} tasks of the daemon before are taken over")]
    public static partial void TasksTakenOver(this ILogger log, int count);

    [LoggerMessage(9, LogLevel.Warning, "Published port: {Reason}")]
    public static partial void PortTaken(this ILogger log, string reason);

    [LoggerMessage(10, LogLevel.Warning, "Network {Network} cannot be made: {Reason}")]
    public static partial void NetworkFailed(this ILogger log, string network, string reason);
}
