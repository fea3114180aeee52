using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;

namespace Orchestrator.Tests.Bench.Containers;

/// <summary>
/// HTTP/1.1 over a unix socket with nothing around it: a connection for each request, written and read by the calling thread, which sleeps in the
/// kernel meanwhile. What a driver costs stands in both peers' figures: <c>HttpClient</c> cost more than a millisecond of either, a quarter of the
/// smaller one, and <c>Socket</c> turns around for a while before it sleeps, on a processor that the peer needs.
/// </summary>
internal sealed partial class PlainHttp(string socket)
{
    private const int Unix = 1;
    private const int StreamCloseOnExec = 0x80001;
    private const int PathRoom = 108; // of struct sockaddr_un

    private readonly byte[] address = Address(socket);

    /// <summary>Sends JSON; answers everything that came until the peer closed the connection.</summary>
    internal string Post(string path, string json)
    {
        var connection = Check(NewSocket(Unix, StreamCloseOnExec, 0), "socket");
        try
        {
            Check(Connect(connection, address, address.Length), "connect");
            var request = Encoding.ASCII.GetBytes($"POST /{path} HTTP/1.1\r\nHost: engine\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {json.Length}\r\n\r\n{json}");
            if (Check(Write(connection, request, request.Length), "write") != request.Length)
                throw new IOException($"POST {path}: written in part");
            return Answer(connection, path);
        }
        finally
        {
            _ = Close(connection);
        }
    }

    /// <summary>Runs a command in a container and waits for the end of its output: the two requests that <c>docker exec</c> makes.</summary>
    internal void Exec(string container, string words)
    {
        var made = Post($"containers/{container}/exec", $$"""{"Cmd":[{{words}}],"AttachStdout":true,"AttachStderr":true}""");
        var id = made.AsSpan(made.IndexOf("\"Id\":\"", StringComparison.Ordinal) + 6, 64);
        Post($"exec/{id}/start", """{"Detach":false,"Tty":false}""");
    }

    private static unsafe string Answer(int connection, string path)
    {
        var answer = new byte[4096];
        var length = 0;
        while (true)
        {
            int count;
            fixed (byte* at = &answer[length])
                count = (int)Check(Read(connection, at, answer.Length - length), "read");
            if (count == 0)
                break;
            length += count;
            if (length == answer.Length)
                Array.Resize(ref answer, 2 * length);
        }

        var text = Encoding.ASCII.GetString(answer, 0, length);
        return text.StartsWith("HTTP/1.1 2", StringComparison.Ordinal) ? text : throw new InvalidOperationException($"POST {path}: {text}");
    }

    private static byte[] Address(string path)
    {
        var bytes = new byte[2 + PathRoom];
        bytes[0] = Unix;
        if (Encoding.UTF8.GetBytes(path, bytes.AsSpan(2)) == PathRoom)
            throw new ArgumentException($"{path} is too long for a socket's path", nameof(path));
        return bytes;
    }

    private static nint Check(nint result, string call) => result >= 0 ? result : throw new Win32Exception(Marshal.GetLastPInvokeError(), $"{call}: errno {Marshal.GetLastPInvokeError()}");

    private static int Check(int result, string call) => (int)Check((nint)result, call);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    private static partial int NewSocket(int family, int kind, int protocol);

    [LibraryImport("libc", EntryPoint = "connect", SetLastError = true)]
    private static partial int Connect(int socket, byte[] address, int length);

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    private static partial nint Write(int file, byte[] from, nint count);

    [LibraryImport("libc", EntryPoint = "read", SetLastError = true)]
    private static unsafe partial nint Read(int file, byte* into, nint count);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int Close(int file);
}
