using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;

namespace Orchestrator.Shared.Http;

/// <summary>One call of the Engine API: its path arguments, query, filters and body, read with errors that name the field.</summary>
public sealed class ApiRequest(HttpContext http, IReadOnlyDictionary<string, string> arguments, ApiVersion version)
{
    /// <summary>The longest JSON body taken, in bytes; archives are streams and have no limit.</summary>
    private const long MaxJsonBytes = 8 << 20;

    /// <summary>The longest JSON body that is read.</summary>
    public long BodyLimit { get; set; } = MaxJsonBytes;

    public HttpContext Http { get; } = http;

    /// <summary>The version the client speaks: the path's, or the newest.</summary>
    public ApiVersion Version { get; } = version;

    public CancellationToken Stop => Http.RequestAborted;

    /// <summary>A placeholder of the route's template.</summary>
    public string Argument(string name) => arguments[name];

    /// <summary>The same call with another value of a placeholder.</summary>
    public ApiRequest With(string name, string value) =>
        new(Http, new Dictionary<string, string>(arguments, StringComparer.Ordinal) { [name] = value }, Version) { BodyLimit = BodyLimit };

    /// <summary>A query parameter's text, or null when it is absent.</summary>
    public string? Query(string name) => Http.Request.Query.TryGetValue(name, out var values) ? values[0] ?? "" : null;

    /// <summary>Every value of a query parameter that may be repeated.</summary>
    public IReadOnlyList<string> Queries(string name) =>
        Http.Request.Query.TryGetValue(name, out var values) ? [.. values.Select(v => v ?? "")] : [];

    /// <summary>Go's boolean query: absent is <paramref name="otherwise"/>; empty, 0, no, none and false are false, anything else is true.</summary>
    public bool Flag(string name, bool otherwise = false) => Query(name)?.ToLowerInvariant() switch
    {
        null => otherwise,
        "" or "0" or "false" or "no" or "none" => false,
        _ => true,
    };

    /// <summary>A whole number that must be there.</summary>
    public ulong Number(string name) => OptionalNumber(name) ?? throw new ApiException(400, $"query parameter '{name}' is required");

    /// <summary>A whole number, or null when it is absent.</summary>
    public ulong? OptionalNumber(string name)
    {
        if (Query(name) is not { Length: > 0 } text)
            return null;
        return ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            ? value
            : throw new ApiException(400, $"query parameter '{name}' must be a whole number, not '{text}'");
    }

    /// <summary>A moment, or null when it is absent, empty or 0.</summary>
    public DateTimeOffset? Moment(string name, DateTimeOffset now)
    {
        if (Query(name) is not { Length: > 0 } text || text == "0")
            return null;
        return ApiTimes.Parse(text, now)
            ?? throw new ApiException(400, $"query parameter '{name}' must be Unix seconds, RFC 3339 or a duration, not '{text}'");
    }

    /// <summary>The query of the log endpoints: which streams, from when, how many lines, and whether it goes on.</summary>
    public LogQuery LogQuery(DateTimeOffset now)
    {
        var query = new LogQuery
        {
            Stdout = Flag("stdout"),
            Stderr = Flag("stderr"),
            Follow = Flag("follow"),
            Since = Moment("since", now),
            Until = Moment("until", now),
            Tail = int.TryParse(Query("tail"), NumberStyles.None, CultureInfo.InvariantCulture, out var lines) ? lines : null, // any other text means all
        };
        return query.Stdout || query.Stderr
            ? query
            : throw new ApiException(400, "Bad parameters: you must choose at least one stream");
    }

    /// <summary>The <c>filters</c> parameter; a filter that the resource does not know is refused by name.</summary>
    public ApiFilters Filters(params ReadOnlySpan<string> known) => ApiFilters.Parse(Query("filters"), known);

    /// <summary>Reads the JSON body as a model type; what is wrong with it is told with its path.</summary>
    public Task<T> BodyAsync<T>() => BodyAsync(ModelJson.Of<T>());

    /// <summary>The same, and refuses members that ask for something the model has no place for.</summary>
    public async Task<T> WholeBodyAsync<T>(params string[] tolerated)
    {
        var type = ModelJson.Of<T>();
        using var json = await ParseAsync(typeof(T).Name);
        var problems = UnknownMembers.Find(json.RootElement, type, tolerated);
        if (problems.Count > 0)
            throw new ApiException(400, string.Join("; ", problems), problems);
        return Guarded(json.RootElement, type);
    }

    public async Task<T> BodyAsync<T>(JsonTypeInfo<T> type)
    {
        using var json = await ParseAsync(typeof(T).Name);
        return Guarded(json.RootElement, type);
    }

    /// <summary>Answers with a JSON body.</summary>
    public Task ReplyAsync<T>(T value, int status = StatusCodes.Status200OK) => ReplyAsync(value, ModelJson.Of<T>(), status);

    public async Task ReplyAsync<T>(T value, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(value, type);
        Http.Response.StatusCode = status;
        Http.Response.ContentType = "application/json";
        Http.Response.ContentLength = body.Length;
        if (!HttpMethods.IsHead(Http.Request.Method))
            await Http.Response.Body.WriteAsync(body, Stop);
    }

    /// <summary>Answers with no body.</summary>
    public Task ReplyAsync(int status)
    {
        Http.Response.StatusCode = status;
        return Task.CompletedTask;
    }

    /// <summary>Begins an answer of JSON lines.</summary>
    public Task<JsonLines> LinesAsync() => JsonLines.StartAsync(Http);

    /// <summary>Begins a log stream; its headers are on their way before the first record.</summary>
    public async Task<LogFrames> LogAsync(LogFraming framing, bool timestamps)
    {
        Http.Response.ContentType = framing == LogFraming.Raw || Version.CompareTo(new(1, 42)) < 0
            ? "application/vnd.docker.raw-stream"
            : "application/vnd.docker.multiplexed-stream";
        await Http.Response.StartAsync(Stop);
        await Http.Response.BodyWriter.FlushAsync(Stop);
        return new(Http.Response.BodyWriter, framing, timestamps);
    }

    /// <summary>
    /// Answers 101 (200 to a client that asked for no upgrade) and takes the connection over. Everything that can be refused has been refused by
    /// then: there is no way to say it afterwards.
    /// </summary>
    public async Task<HijackedConnection> HijackAsync(LogFraming framing)
    {
        var hijack = Http.Features.Get<IHijackFeature>() ?? throw new ApiException(501, $"this socket's connections cannot be taken over, which {Http.Request.Path} needs");
        if (Http.Request.ContentLength is > 0 || Http.Request.Headers.TransferEncoding.Count > 0)
            await Http.Request.Body.CopyToAsync(Stream.Null, Stop);
        var upgrade = Http.Request.Headers.Upgrade is [{ Length: > 0 }, ..];
        var type = upgrade && framing == LogFraming.Multiplexed && Version.CompareTo(new(1, 42)) >= 0
            ? "application/vnd.docker.multiplexed-stream"
            : "application/vnd.docker.raw-stream";
        var head = upgrade
            ? $"HTTP/1.1 101 UPGRADED\r\nContent-Type: {type}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
            : $"HTTP/1.1 200 OK\r\nContent-Type: {type}\r\n";
        foreach (var (name, value) in Http.Response.Headers)
            head += $"{name}: {value}\r\n";
        var connection = hijack.Take();
        await connection.Output.WriteAsync(System.Text.Encoding.ASCII.GetBytes(head + "\r\n"), CancellationToken.None);
        return connection;
    }

    private async Task<JsonDocument> ParseAsync(string name)
    {
        if (Http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            limit.MaxRequestBodySize = BodyLimit;
        try
        {
            return await JsonDocument.ParseAsync(Http.Request.Body, cancellationToken: Stop);
        }
        catch (JsonException e)
        {
            throw new ApiException(400, $"the body is not JSON of a {name}: {e.Message}", inner: e);
        }
    }

    private static T Guarded<T>(JsonElement body, JsonTypeInfo<T> type)
    {
        try
        {
            return body.Deserialize(type) ?? throw new ApiException(400, $"the body must be a JSON {typeof(T).Name}, not null");
        }
        catch (JsonException e)
        {
            throw new ApiException(400, $"the body is not a valid {typeof(T).Name}: {JsonMisfit.Tell(body, e)}", inner: e);
        }
    }
}
