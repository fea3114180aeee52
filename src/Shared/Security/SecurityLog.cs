using Microsoft.Extensions.Logging;

namespace Orchestrator.Shared.Security;

internal static partial class SecurityLog
{
    [LoggerMessage(1, LogLevel.Debug, "TLS handshake with {Remote} failed: {Reason}")]
    public static partial void HandshakeFailed(this ILogger log, string remote, string reason);

    [LoggerMessage(2, LogLevel.Warning, "A connection to {Endpoint} is refused: {Reason}")]
    public static partial void PeerRefused(this ILogger log, string endpoint, string reason);
}
