using System.Net.Sockets;
using System.Text;

namespace Orchestrator.Tests.Bench.Containers;

/// <summary>
/// HTTP/1.1 over a unix socket with nothing around it: a connection for each request, written and read by the calling thread. What a driver costs stands in
/// both peers' figures, and <c>HttpClient</c> cost more than a millisecond of either, a quarter of the smaller one.
/// </summary>
internal sealed class PlainHttp(string socket)
{
    private readonly UnixDomainSocketEndPoint _peer = new(socket);

    /// <summary>Sends JSON; answers everything that came until the peer closed the connection.</summary>
    internal string Post(string path, string json)
    {
        using var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        connection.Connect(_peer);
        connection.Send(Encoding.ASCII.GetBytes($"POST /{path} HTTP/1.1\r\nHost: engine\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {json.Length}\r\n\r\n{json}"));
        var answer = new byte[4096];
        var length = 0;
        while (connection.Receive(answer.AsSpan(length)) is var count and > 0)
        {
            length += count;
            if (length == answer.Length)
                Array.Resize(ref answer, 2 * length);
        }

        var text = Encoding.ASCII.GetString(answer, 0, length);
        return text.StartsWith("HTTP/1.1 2", StringComparison.Ordinal) ? text : throw new InvalidOperationException($"POST {path}: {text}");
    }

    /// <summary>Runs a command in a container and waits for the end of its output: the two requests that <c>docker exec</c> makes.</summary>
    internal void Exec(string container, string words)
    {
        var made = Post($"containers/{container}/exec", $$"""{"Cmd":[{{words}}],"AttachStdout":true,"AttachStderr":true}""");
        var id = made.AsSpan(made.IndexOf("\"Id\":\"", StringComparison.Ordinal) + 6, 64);
        Post($"exec/{id}/start", """{"Detach":false,"Tty":false}""");
    }
}
