using Microsoft.Extensions.Logging;

namespace Orchestrator.Shared.Hosting;

internal static partial class HostingLog
{
    [LoggerMessage(1, LogLevel.Critical, "Loop {Name} failed; the host stops")]
    public static partial void LoopFailedHost(this ILogger log, Exception failure, string name);

    [LoggerMessage(2, LogLevel.Error, "Loop {Name} failed; it starts again in {Delay}")]
    public static partial void LoopRestarts(this ILogger log, Exception failure, string name, TimeSpan delay);

    [LoggerMessage(3, LogLevel.Warning, "Still waiting for {What} to end after {Waited}")]
    public static partial void EndsSlowly(this ILogger log, string what, TimeSpan waited);
}
