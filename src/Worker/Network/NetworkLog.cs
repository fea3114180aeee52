using Microsoft.Extensions.Logging;

namespace Orchestrator.Worker.Network;

internal static partial class NetworkLog
{
    [LoggerMessage(1, LogLevel.Information, "Network {Network} is on bridge {Bridge} with {Subnet}")]
    internal static partial void NetworkReady(this ILogger log, string network, string bridge, string subnet);

    [LoggerMessage(2, LogLevel.Warning, "The shim does not hold the published ports: {Reason}")]
    internal static partial void PortsNotHeld(this ILogger log, string reason);

    [LoggerMessage(3, LogLevel.Warning, "Service table {Version}: {Reason}")]
    internal static partial void PortNotPublished(this ILogger log, ulong version, string reason);

    [LoggerMessage(4, LogLevel.Information, "IPv4 forwarding was off and is switched on")]
    internal static partial void ForwardingEnabled(this ILogger log);

    [LoggerMessage(6, LogLevel.Warning, "A datagram for port {Port} could not be relayed: {Reason}")]
    internal static partial void RelayFailed(this ILogger log, int port, string reason);

    [LoggerMessage(7, LogLevel.Debug, "A resolver of {Sandbox} stopped: {Reason}")]
    internal static partial void ResolverStopped(this ILogger log, string sandbox, string reason);

    [LoggerMessage(8, LogLevel.Warning, "Another rule set drops forwarded packets by policy ({Chain}): {Action}")]
    internal static partial void ForeignForwardPolicy(this ILogger log, string chain, string action);

    [LoggerMessage(9, LogLevel.Warning, "No more sandboxes are made ahead; each attach makes its own: {Reason}")]
    internal static partial void WarmingStopped(this ILogger log, string reason);
}
