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

    [LoggerMessage(6, LogLevel.Warning, "What a shim that died has left could not be removed: {Refusal}")]
    public static partial void LeftoverStays(this ILogger log, string refusal);
}
