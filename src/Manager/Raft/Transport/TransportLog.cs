using Microsoft.Extensions.Logging;
using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Manager.Raft.Transport;

internal static partial class TransportLog
{
    [LoggerMessage(1, LogLevel.Warning, "Manager {Peer} is not reachable: {Reason}; trying again from {Delay} on")]
    public static partial void PeerUnreachable(this ILogger log, PeerId peer, string reason, TimeSpan delay);
}
