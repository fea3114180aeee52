using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Orchestrator.Cli.Client;

/// <summary>
/// HTTP/1.1 as short calls need it: a request, and its answer read whole, by blocking calls on the caller's thread. The framework's client takes
/// longer to load than the daemon takes to answer, and so does the machinery that asynchronous sockets start.
/// </summary>
/// <param name="dial">Connects; what it throws goes to the caller as it is.</param>
internal sealed class EngineWire(Func<CancellationToken, Dialled> dial) : IDisposable
{
    private Dialled? _idle;

    public void Dispose() => Interlocked.Exchange(ref _idle, null)?.Dispose();

    /// <summary>Any number of calls at a time, each over a connection of its own; one is kept for the next.</summary>
    /// <exception cref="IOException">The daemon broke off, or what it said is not HTTP.</exception>
    internal WireAnswer Ask(HttpMethod method, string path, byte[]? body, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        var connection = Take() ?? dial(stop);
        try
        {
            WireAnswer answer;
            using (stop.UnsafeRegister(static c => ((Dialled)c!).Abort(), connection))
            {
                connection.Stream.Write(Request(method, path, body));
                answer = new WireReader(connection.Stream).Read(hasBody: method != HttpMethod.Head);
            }
            stop.ThrowIfCancellationRequested();
            if (answer.KeepAlive && Interlocked.CompareExchange(ref _idle, connection, null) is null)
                return answer;
            connection.Dispose();
            return answer;
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException && stop.IsCancellationRequested)
        {
            connection.Dispose();
            throw new OperationCanceledException(e.Message, e, stop);
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private Dialled? Take()
    {
        if (Interlocked.Exchange(ref _idle, null) is not { } connection)
            return null;
        if (!connection.HasEnded)
            return connection;
        connection.Dispose();
        return null;
    }

    internal static byte[] Request(HttpMethod method, string path, byte[]? body, string more = "")
    {
        var length = body is { Length: > 0 } ? $"Content-Type: application/json\r\nContent-Length: {body.Length}\r\n" : method == HttpMethod.Get || method == HttpMethod.Head ? "" : "Content-Length: 0\r\n";
        var head = string.Create(CultureInfo.InvariantCulture, $"{method.Method} {Target(path)} HTTP/1.1\r\nHost: orch\r\n{more}{length}\r\n");
        return [.. Encoding.ASCII.GetBytes(head), .. body ?? []];
    }

    /// <summary>What has no place in a request line is escaped: a space or a line's end would begin something else.</summary>
    private static string Target(string path)
    {
        var safe = true;
        foreach (var c in path)
            safe &= c is > ' ' and < '\x7f';
        if (safe)
            return path;
        var escaped = new StringBuilder(path.Length + 8);
        foreach (var one in Encoding.UTF8.GetBytes(path))
        {
            if (one is > (byte)' ' and < 0x7f)
                escaped.Append((char)one);
            else
                escaped.Append(CultureInfo.InvariantCulture, $"%{one:X2}");
        }
        return escaped.ToString();
    }
}

/// <summary>An answer as a whole.</summary>
/// <param name="Status">HTTP's.</param>
/// <param name="Reason">HTTP's words for it.</param>
/// <param name="Body">Empty when there is none.</param>
/// <param name="KeepAlive">The connection may be used again.</param>
internal readonly record struct WireAnswer(int Status, string Reason, byte[] Body, bool KeepAlive);
