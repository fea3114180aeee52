using Microsoft.Extensions.Logging;

namespace Orchestrator.Worker;

internal static partial class WorkerLog
{
    [LoggerMessage(1, LogLevel.Warning, "Of what an earlier daemon has left: {Failure}")]
    public static partial void NotRecovered(this ILogger log, string failure);
}
