using Microsoft.Extensions.Logging;

namespace Orchestrator.Shared.Rpc;

internal static partial class RpcLog
{
    [LoggerMessage(1, LogLevel.Error, "The handler of {Path} failed")]
    public static partial void HandlerFailed(this ILogger log, Exception failure, string path);
}
