using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Client;

/// <summary>
/// Calls of the Engine API over the daemon's socket, typed by the shared model. Those with short answers are made at once, on the caller's thread;
/// streams, and what is asked of many at a time, go through the framework's client, which is made when it is first needed.
/// </summary>
internal sealed class EngineClient : IDisposable
{
    private readonly EngineWire _wire;
    private readonly EngineTls? _tls;
    private readonly Lock _guard = new();
    private HttpClient? _http;

    /// <param name="time">By which certificates are valid; null: the machine's.</param>
    internal EngineClient(EngineAddress address, TimeProvider? time = null)
    {
        Address = address;
        _tls = address.Tcp is { } tcp ? new EngineTls(tcp, address.Url, time ?? TimeProvider.System) : null;
        _wire = new EngineWire(Dial);
    }

    internal EngineAddress Address { get; }

    public void Dispose()
    {
        _wire.Dispose();
        _http?.Dispose();
    }

    internal Task<T> GetAsync<T>(string path, CancellationToken stop) => Answered(() => Read<T>(Ask(HttpMethod.Get, path, null, stop), path));

    /// <summary>The answer as it came, for <c>inspect</c>: nothing that the model does not know is lost.</summary>
    internal Task<JsonElement> GetJsonAsync(string path, CancellationToken stop) => Answered(() =>
    {
        using var json = JsonDocument.Parse(Ask(HttpMethod.Get, path, null, stop));
        return json.RootElement.Clone();
    });

    /// <summary>The same as <see cref="GetAsync"/> while others are on their way: the daemon takes its time with each.</summary>
    internal async Task<T> GetWithOthersAsync<T>(string path, CancellationToken stop)
    {
        using var response = await SendAsync(HttpMethod.Get, path, null, stop);
        return Read<T>(await response.Content.ReadAsByteArrayAsync(stop), path);
    }

    internal Task<TReply> SendAsync<TBody, TReply>(HttpMethod method, string path, TBody body, CancellationToken stop) =>
        Answered(() => Read<TReply>(Ask(method, path, ModelJson.Write(body), stop), path));

    /// <summary>A call whose JSON the caller writes and reads himself.</summary>
    internal Task<T> AskAsync<T>(HttpMethod method, string path, byte[]? body, Func<byte[], T> read, CancellationToken stop) =>
        Answered(() => Read(read, Ask(method, path, body, stop), path));

    /// <summary>A call with neither body nor answer.</summary>
    internal Task SendAsync(HttpMethod method, string path, CancellationToken stop) => Answered(() => Ask(method, path, null, stop));

    internal Task SendAsync<TBody>(HttpMethod method, string path, TBody body, CancellationToken stop) =>
        Answered(() => Ask(method, path, ModelJson.Write(body), stop));

    /// <summary>A call whose answer is read while it comes; the caller disposes the answer.</summary>
    internal Task<HttpResponseMessage> OpenAsync(HttpMethod method, string path, HttpContent? body, CancellationToken stop) =>
        SendAsync(method, path, body, stop);

    /// <summary>A call that takes its connection over for a program's stdio.</summary>
    internal Task<TakenConnection> TakeAsync(string path, byte[] body, CancellationToken stop) => Answered(() => Guarded(() =>
    {
        var (connection, refusal) = TakenConnection.Open(Dial(stop), path, body, stop);
        return connection ?? throw Error(refusal.Status, refusal.Reason, refusal.Body);
    }));

    internal static string Query(string path, params ReadOnlySpan<(string Name, string? Value)> parameters)
    {
        var text = new StringBuilder(path);
        var separator = '?';
        foreach (var (name, value) in parameters)
        {
            if (value is null)
                continue;
            text.Append(separator).Append(name).Append('=').Append(IsPlain(value) ? value : Uri.EscapeDataString(value));
            separator = '&';
        }
        return text.ToString();
    }

    /// <summary>A name as part of a path: slashes and colons of image names stay, since servers do not decode an escaped slash.</summary>
    internal static string Name(string name) => IsPlain(name) ? name :
        Uri.EscapeDataString(name).Replace("%2F", "/", StringComparison.Ordinal).Replace("%3A", ":", StringComparison.Ordinal).Replace("%40", "@", StringComparison.Ordinal);

    /// <summary>Nothing in it is escaped, and nobody need load what escapes.</summary>
    private static bool IsPlain(string text)
    {
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_' or '.'))
                return false;
        }
        return true;
    }

    /// <summary>The <c>filters</c> parameter; null when there is none.</summary>
    internal static string? Filters(IReadOnlyDictionary<string, IReadOnlyList<string>> filters) =>
        filters.Count == 0 ? null : Encoding.UTF8.GetString(ModelJson.Write(new Dictionary<string, IReadOnlyList<string>>(filters)));

    private static T Read<T>(byte[] body, string path) => Read(static text => ModelJson.Read<T>(text), body, path);

    private static T Read<T>(Func<byte[], T> read, byte[] body, string path)
    {
        try
        {
            return read(body);
        }
        catch (JsonException e)
        {
            throw new EngineException(200, $"the daemon's answer to {path} is not what was expected: {e.Message}", []);
        }
    }

    /// <summary>A failure is the task's, as callers expect of what they can await.</summary>
    private static Task<T> Answered<T>(Func<T> call)
    {
        try
        {
            return Task.FromResult(call());
        }
        catch (OperationCanceledException e) when (e.CancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled<T>(e.CancellationToken);
        }
        catch (Exception e)
        {
            return Task.FromException<T>(e);
        }
    }

    private byte[] Ask(HttpMethod method, string path, byte[]? body, CancellationToken stop)
    {
        var answer = Guarded(() => _wire.Ask(method, path, body, stop));
        return answer.Status is (>= 200 and < 300) or 304 ? answer.Body : throw Error(answer.Status, answer.Reason, answer.Body);
    }

    private T Guarded<T>(Func<T> call)
    {
        try
        {
            return call();
        }
        catch (SocketException e)
        {
            throw Unreachable(e);
        }
        catch (IOException e)
        {
            throw BrokenOff(e);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, HttpContent? body, CancellationToken stop)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body };
        HttpResponseMessage response;
        try
        {
            response = await Http().SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
        }
        catch (HttpRequestException e) when (e.InnerException is EngineUnreachableException told)
        {
            throw new EngineUnreachableException(told.Message, e);
        }
        catch (HttpRequestException e) when (Refusal(e) is { } socket)
        {
            throw Unreachable(socket);
        }
        catch (HttpRequestException e)
        {
            throw BrokenOff(e.InnerException ?? e);
        }
        if (response.IsSuccessStatusCode || (int)response.StatusCode == 304)
            return response;
        using (response)
        {
            // The answer to HEAD has no body: the same question by GET says why.
            if (method == HttpMethod.Head)
                (await SendAsync(HttpMethod.Get, path, null, stop)).Dispose();
            throw await ErrorAsync(response, stop);
        }
    }

    private HttpClient Http()
    {
        lock (_guard)
        {
            return _http ??= new HttpClient(new SocketsHttpHandler
            {
                ConnectCallback = async (_, stop) => (_tls is null ? Dial(stop) : await _tls.DialAsync(stop)).Stream,
                UseProxy = false,
                UseCookies = false,
                AllowAutoRedirect = false,
            })
            {
                BaseAddress = new Uri("http://orch"),
                Timeout = Timeout.InfiniteTimeSpan,
            };
        }
    }

    private Dialled Dial(CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        return _tls is null ? Dialled.Unix(Address.Path) : _tls.DialAsync(stop).GetAwaiter().GetResult();
    }

    private EngineUnreachableException BrokenOff(Exception e) => new($"the daemon at {Address.Url} broke off: {e.Message}", e);

    private static SocketException? Refusal(HttpRequestException e) => e.InnerException as SocketException;

    private EngineUnreachableException Unreachable(SocketException e)
    {
        if (Address.Tcp is not null)
        {
            return new EngineUnreachableException(
                $"Cannot connect to the orch daemon at {Address.Url} ({Address.ChosenBy} names it): {e.Message}. On that host: orch daemon -H tcp://ADDRESS:{Address.Tcp.Port} --tlsverify …", e);
        }

        var why = Address.ChosenBy switch
        {
            "default" => "the default socket; set ORCH_HOST or -H for another one",
            var chosen => $"{chosen} names this socket",
        };
        var message = e.SocketErrorCode == SocketError.AccessDenied
            ? $"Permission denied at {Address.Url} ({why}). Run as root, or join the socket's group."
            : $"Cannot connect to the orch daemon at {Address.Url}. Start one: sudo orch daemon ({why})";
        return new EngineUnreachableException(message, e);
    }

    private static async Task<EngineException> ErrorAsync(HttpResponseMessage response, CancellationToken stop)
    {
        var body = await response.Content.ReadAsByteArrayAsync(stop);
        return Error((int)response.StatusCode, response.ReasonPhrase, body);
    }

    private static EngineException Error(int status, string? reason, byte[] body)
    {
        try
        {
            var reply = ModelJson.Read<ProblemsReply>(body);
            return new EngineException(status, reply.Message, reply.Problems);
        }
        catch (JsonException)
        {
            var text = Encoding.UTF8.GetString(body).Trim();
            return new EngineException(status, text.Length > 0 ? text : $"the daemon answered {status} {reason}", []);
        }
    }
}
