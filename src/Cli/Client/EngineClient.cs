using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Client;

/// <summary>Calls of the Engine API over the daemon's unix socket, typed by the shared model.</summary>
internal sealed class EngineClient : IDisposable
{
    private readonly HttpClient _http;

    internal EngineClient(EngineAddress address)
    {
        Address = address;
        _http = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, stop) => await ConnectAsync(address.Path, stop),
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
        })
        {
            BaseAddress = new Uri("http://orch"),
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    internal EngineAddress Address { get; }

    public void Dispose() => _http.Dispose();

    internal async Task<T> GetAsync<T>(string path, CancellationToken stop)
    {
        using var response = await SendAsync(HttpMethod.Get, path, null, HttpCompletionOption.ResponseContentRead, stop);
        return Read<T>(await response.Content.ReadAsByteArrayAsync(stop), path);
    }

    /// <summary>The answer as it came, for <c>inspect</c>: nothing that the model does not know is lost.</summary>
    internal async Task<JsonElement> GetJsonAsync(string path, CancellationToken stop)
    {
        using var response = await SendAsync(HttpMethod.Get, path, null, HttpCompletionOption.ResponseContentRead, stop);
        using var json = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(stop));
        return json.RootElement.Clone();
    }

    internal async Task<TReply> SendAsync<TBody, TReply>(HttpMethod method, string path, TBody body, CancellationToken stop)
    {
        using var response = await SendAsync(method, path, Json(body), HttpCompletionOption.ResponseContentRead, stop);
        return Read<TReply>(await response.Content.ReadAsByteArrayAsync(stop), path);
    }

    /// <summary>A call with neither body nor answer.</summary>
    internal async Task SendAsync(HttpMethod method, string path, CancellationToken stop)
    {
        using var response = await SendAsync(method, path, null, HttpCompletionOption.ResponseContentRead, stop);
    }

    internal async Task SendAsync<TBody>(HttpMethod method, string path, TBody body, CancellationToken stop)
    {
        using var response = await SendAsync(method, path, Json(body), HttpCompletionOption.ResponseContentRead, stop);
    }

    /// <summary>A call whose answer is read while it comes; the caller disposes the answer.</summary>
    internal Task<HttpResponseMessage> OpenAsync(HttpMethod method, string path, HttpContent? body, CancellationToken stop) =>
        SendAsync(method, path, body, HttpCompletionOption.ResponseHeadersRead, stop);

    /// <summary>A call that takes its connection over for a program's stdio.</summary>
    internal async Task<TakenConnection> TakeAsync(string path, byte[] body, CancellationToken stop)
    {
        Socket socket;
        try
        {
            socket = await DialAsync(Address.Path, stop);
        }
        catch (SocketException e)
        {
            throw Unreachable(e);
        }

        var (connection, status, answer) = await TakenConnection.OpenAsync(socket, path, body, stop);
        return connection ?? throw Error(status, "", answer);
    }

    internal static string Query(string path, params ReadOnlySpan<(string Name, string? Value)> parameters)
    {
        var text = new StringBuilder(path);
        var separator = '?';
        foreach (var (name, value) in parameters)
        {
            if (value is null)
                continue;
            text.Append(separator).Append(name).Append('=').Append(Uri.EscapeDataString(value));
            separator = '&';
        }
        return text.ToString();
    }

    /// <summary>A name as part of a path: slashes and colons of image names stay, since servers do not decode an escaped slash.</summary>
    internal static string Name(string name) =>
        Uri.EscapeDataString(name).Replace("%2F", "/", StringComparison.Ordinal).Replace("%3A", ":", StringComparison.Ordinal).Replace("%40", "@", StringComparison.Ordinal);

    /// <summary>The <c>filters</c> parameter; null when there is none.</summary>
    internal static string? Filters(IReadOnlyDictionary<string, IReadOnlyList<string>> filters) =>
        filters.Count == 0 ? null : Encoding.UTF8.GetString(ModelJson.Write(new Dictionary<string, IReadOnlyList<string>>(filters)));

    private static ByteArrayContent Json<T>(T body) =>
        new(ModelJson.Write(body)) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };

    private static T Read<T>(byte[] body, string path)
    {
        try
        {
            return ModelJson.Read<T>(body);
        }
        catch (JsonException e)
        {
            throw new EngineException(200, $"the daemon's answer to {path} is not what was expected: {e.Message}", []);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, HttpContent? body, HttpCompletionOption until, CancellationToken stop)
    {
        using var request = new HttpRequestMessage(method, path) { Content = body };
        HttpResponseMessage response;
        try
        {
            response = await _http.SendAsync(request, until, stop);
        }
        catch (HttpRequestException e) when (Refusal(e) is { } socket)
        {
            throw Unreachable(socket);
        }
        catch (HttpRequestException e)
        {
            throw new EngineUnreachableException($"the daemon at {Address.Url} broke off: {(e.InnerException ?? e).Message}", e);
        }
        if (response.IsSuccessStatusCode || (int)response.StatusCode == 304)
            return response;
        using (response)
            throw await ErrorAsync(response, stop);
    }

    private static SocketException? Refusal(HttpRequestException e) => e.InnerException as SocketException;

    private EngineUnreachableException Unreachable(SocketException e)
    {
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

    private static async Task<Stream> ConnectAsync(string path, CancellationToken stop) => new NetworkStream(await DialAsync(path, stop), ownsSocket: true);

    private static async Task<Socket> DialAsync(string path, CancellationToken stop)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), stop);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
