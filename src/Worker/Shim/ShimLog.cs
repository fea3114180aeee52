using Microsoft.Extensions.Logging;

namespace Orchestrator.Worker.Shim;

internal static partial class ShimLog
{
    [LoggerMessage(1, LogLevel.Warning, "A connection to the shim sent nonsense and was closed")]
    public static partial void BadFrame(this ILogger log, Exception error);

    [LoggerMessage(2, LogLevel.Error, "The shim's operation {Service}/{Operation} failed")]
    public static partial void RequestFailed(this ILogger log, Exception error, string service, string operation);

    [LoggerMessage(3, LogLevel.Information, "Shim {Version} listens on {Path} as process {Pid}")]
    public static partial void Listening(this ILogger log, string version, string path, int pid);

    [LoggerMessage(4, LogLevel.Information, "Started a shim as process {Pid}")]
    public static partial void ShimStarted(this ILogger log, int pid);

    [LoggerMessage(5, LogLevel.Information, "Connected to the shim that runs as process {Pid}, version {Version}")]
    public static partial void Connected(this ILogger log, int pid, string version);

    [LoggerMessage(6, LogLevel.Critical, "Another shim holds {ExecRoot} and does not end")]
    public static partial void AnotherShimRuns(this ILogger log, string execRoot);

    [LoggerMessage(7, LogLevel.Information, "The shim (process {Pid}) is of another build and becomes this one in place")]
    public static partial void Upgrading(this ILogger log, int pid);

    [LoggerMessage(8, LogLevel.Warning, "The shim (process {Pid}) goes on as it is: {Reason}")]
    public static partial void NotUpgraded(this ILogger log, int pid, string reason);

    [LoggerMessage(9, LogLevel.Warning, "The shim was lost while it was asked to {Operation}; the next one is asked")]
    public static partial void ShimLost(this ILogger log, string operation);
}
