using Microsoft.Extensions.Logging;

namespace Orchestrator.Manager.Leadership;

internal static partial class LeadershipLog
{
    [LoggerMessage(1, LogLevel.Information, "This manager leads in term {Term}")]
    public static partial void Leads(this ILogger log, ulong term);

    [LoggerMessage(2, LogLevel.Warning, "This manager leads no more (term {Term})")]
    public static partial void LeadsNoMore(this ILogger log, ulong term);

    [LoggerMessage(3, LogLevel.Warning, "A turn of the control plane was not taken: {Reason}")]
    public static partial void TurnNotTaken(this ILogger log, string reason);
}
