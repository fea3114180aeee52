using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Orchestrator.Shared.Model;

namespace Orchestrator.Shared.Http;

/// <summary>Handles one call; throws <see cref="ApiException"/> for every answer that is an error.</summary>
public delegate Task ApiHandler(ApiRequest request);

/// <summary>Turns a room's own exception into the answer it means; null: not mine.</summary>
public delegate ApiException? ApiFault(Exception failure);

/// <summary>
/// Finds the handler of an Engine API path, with or without a <c>/v1.NN</c> prefix. Templates are segments, <c>{name}</c> for one
/// segment and <c>{name*}</c> for one or more (image names hold slashes). All routes are mapped before the first call.
/// </summary>
public sealed class ApiRouter(string serverVersion, TimeProvider time, ILogger<ApiRouter> log)
{
    private readonly List<ApiRoute> _routes = [];
    private readonly List<ApiFault> _faults = [];
    private readonly string _server = $"orch/{serverVersion} (linux)";
    private long _lastRequest;

    public void Map(string method, string template, ApiHandler handler) =>
        _routes.Add(new ApiRoute(method, template.Split('/', StringSplitOptions.RemoveEmptyEntries), handler));

    /// <summary>Puts something before the handler of a route that has been mapped.</summary>
    /// <exception cref="ArgumentException">There is no such route.</exception>
    public void Around(string method, string template, Func<ApiHandler, ApiHandler> wrap)
    {
        var at = IndexOf(method, template);
        _routes[at] = _routes[at] with { Handler = wrap(_routes[at].Handler) };
    }

    /// <summary>A router of some of the routes as they are now, for another door.</summary>
    /// <exception cref="ArgumentException">One of them is not mapped.</exception>
    public ApiRouter Part(IEnumerable<(string Method, string Template)> routes)
    {
        var part = new ApiRouter(serverVersion, time, log);
        part._routes.AddRange(routes.Select(r => _routes[IndexOf(r.Method, r.Template)]));
        part._faults.AddRange(_faults);
        return part;
    }

    /// <summary>Adds a room's translation of its exceptions.</summary>
    public void MapFault(ApiFault fault) => _faults.Add(fault);

    /// <summary>Answers the call; an unknown path gets 404, a known one with another method 405.</summary>
    public async Task DispatchAsync(HttpContext http)
    {
        var id = Interlocked.Increment(ref _lastRequest);
        var began = time.GetTimestamp();
        var headers = http.Response.Headers;
        headers["Api-Version"] = ApiVersion.Newest.ToString();
        headers["Docker-Experimental"] = "false";
        headers["Ostype"] = "linux";
        headers.Server = _server;
        log.Begins(id, http.Request.Method, http.Request.Path, http.Request.QueryString);
        try
        {
            await AnswerAsync(http);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // The client is gone: there is nobody to answer.
        }
        catch (Exception failure)
        {
            await FailAsync(http, failure);
        }

        log.Ends(id, http.Request.Method, http.Request.Path, http.Response.StatusCode, time.GetElapsedTime(began).TotalMilliseconds);
    }

    private int IndexOf(string method, string template)
    {
        var path = template.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var at = _routes.FindIndex(r => r.Method == method && r.Template.AsSpan().SequenceEqual(path));
        return at >= 0 ? at : throw new ArgumentException($"no route {method} {template} is mapped");
    }

    private async Task AnswerAsync(HttpContext http)
    {
        var path = (http.Request.Path.Value ?? "/").Split('/', StringSplitOptions.RemoveEmptyEntries);
        var version = ApiVersion.Newest;
        if (path is [['v', .. var number], ..] && ApiVersion.Parse(number) is { } asked)
        {
            if (asked.Refusal() is { } refusal)
                throw new ApiException(400, refusal);
            version = asked;
            path = path[1..];
        }

        var known = false;
        foreach (var route in _routes)
        {
            if (!route.Matches(path))
                continue;
            known = true;
            if (!route.Method.Equals(http.Request.Method, StringComparison.OrdinalIgnoreCase))
                continue;
            await route.Handler(new ApiRequest(http, route.Arguments(path), version));
            return;
        }

        throw known
            ? new ApiException(405, $"method {http.Request.Method} is not allowed on {http.Request.Path}")
            : new ApiException(404, $"page not found: {http.Request.Method} {http.Request.Path}");
    }

    private async Task FailAsync(HttpContext http, Exception failure)
    {
        var answer = failure as ApiException
            ?? (failure is BadHttpRequestException bad ? new ApiException(bad.StatusCode, bad.Message, inner: bad) : null)
            ?? _faults.Select(fault => fault(failure)).FirstOrDefault(translated => translated is not null);
        if (answer is null)
        {
            log.RequestFailed(failure, http.Request.Method, http.Request.Path);
            answer = new ApiException(500, failure.Message, inner: failure);
        }

        if (http.Response.HasStarted)
        {
            if (answer.Status < 500 || failure is ApiException)
                log.StreamBroke(http.Request.Method, http.Request.Path, answer.Message);
            http.Abort();
            return;
        }

        var body = answer.Problems.Count == 0
            ? ModelJson.Write(new ErrorReply { Message = answer.Message })
            : ModelJson.Write(new ProblemsReply { Message = answer.Message, Problems = answer.Problems });
        http.Response.StatusCode = answer.Status;
        http.Response.ContentType = "application/json";
        http.Response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(http.Request.Method))
            await http.Response.Body.WriteAsync(body, CancellationToken.None);
    }
}
