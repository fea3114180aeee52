using Microsoft.Extensions.Logging;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Api;

internal static partial class ManagerApiLog
{
    [LoggerMessage(1, LogLevel.Warning, "The log of task {Task} cannot be read")]
    public static partial void TaskLogFailed(this ILogger log, Exception failure, TaskId task);
}
