using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Shared.Rpc;
using Orchestrator.Shared.Security;

namespace Orchestrator.Cli.Daemon.Reach;

/// <summary>
/// The other end: what this node answers managers of its own containers, over the cluster port. It stands before the engine's own handlers, so nothing
/// is ever passed on from here to a third node.
/// </summary>
/// <param name="engine">This host's whole API, before anything stands in front of it.</param>
/// <param name="time">The clock.</param>
/// <param name="log">The daemon's.</param>
internal sealed class ReachDoor(ApiRouter engine, TimeProvider time, ILogger log)
{
    /// <summary>How often a call that goes on is held to what the cluster says of its caller meanwhile.</summary>
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);

    private readonly ApiRouter _own = engine.Part(ReachRoutes.Containers.Concat(ReachRoutes.Execs).Select(r => (r.Method, r.Template)));

    /// <param name="http">The call.</param>
    /// <param name="rpc">Holds the caller's certificate to the rule for managers.</param>
    /// <param name="refuse">What this node knows against a manager, in a sentence; null: nothing.</param>
    internal async Task HandleAsync(HttpContext http, RpcServer rpc, Func<PeerIdentity, string?> refuse)
    {
        if (Refusal(http, rpc, refuse) is var (status, sentence) && sentence is not null)
        {
            log.ReachRefused(http.Request.Method, http.Request.Path, http.Connection.RemoteIpAddress?.ToString() ?? "", sentence);
            await SayAsync(http, status, sentence);
            return;
        }

        using var over = new CancellationTokenSource();
        var watching = WatchAsync(http, refuse, over.Token);
        try
        {
            await _own.DispatchAsync(http);
        }
        finally
        {
            await over.CancelAsync();
            await watching;
        }
    }

    private static (int Status, string? Sentence) Refusal(HttpContext http, RpcServer rpc, Func<PeerIdentity, string?> refuse)
    {
        try
        {
            rpc.Admit(http, RpcAccess.Manager);
        }
        catch (RpcException refused)
        {
            return (refused.Status == RpcStatus.Unauthenticated ? StatusCodes.Status401Unauthorized : StatusCodes.Status403Forbidden, refused.Detail);
        }

        return (StatusCodes.Status403Forbidden, Caller(http) is { } caller ? refuse(caller) : "only over TLS does this port answer");
    }

    private static PeerIdentity? Caller(HttpContext http) => http.Features.Get<IPeerFeature>()?.Identity;

    private async Task WatchAsync(HttpContext http, Func<PeerIdentity, string?> refuse, CancellationToken over)
    {
        var caller = Caller(http)!;
        try
        {
            while (true)
            {
                await Task.Delay(Look, time, over);
                if (refuse(caller) is not { } sentence)
                    continue;
                log.ReachRefused(http.Request.Method, http.Request.Path, http.Connection.RemoteIpAddress?.ToString() ?? "", sentence);
                http.Features.GetRequiredFeature<IConnectionLifetimeFeature>().Abort(); // the connection's, whoever has it
                return;
            }
        }
        catch (OperationCanceledException)
        {
            // The call is over.
        }
    }

    private static async Task SayAsync(HttpContext http, int status, string sentence)
    {
        var body = ModelJson.Write(new ErrorReply { Message = sentence });
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(http.Request.Method))
            await http.Response.Body.WriteAsync(body, http.RequestAborted);
    }
}
