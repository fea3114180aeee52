using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Orchestrator.Shared.Http;

internal static partial class HttpLog
{
    [LoggerMessage(1, LogLevel.Error, "{Method} {Path} failed")]
    public static partial void RequestFailed(this ILogger log, Exception failure, string method, PathString path);

    [LoggerMessage(2, LogLevel.Debug, "Request {Id}: {Method} {Path}{Query}")]
    public static partial void Begins(this ILogger log, long id, string method, PathString path, QueryString query);

    [LoggerMessage(3, LogLevel.Debug, "Request {Id}: {Method} {Path} answered {Status} in {Milliseconds:0.0} ms")]
    public static partial void Ends(this ILogger log, long id, string method, PathString path, int status, double milliseconds);

    [LoggerMessage(4, LogLevel.Warning, "{Method} {Path}: the stream was cut: {Reason}")]
    public static partial void StreamBroke(this ILogger log, string method, PathString path, string reason);
}
