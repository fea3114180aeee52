using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Orchestrator.Cli.Client;

/// <summary>A connection to the daemon that speaks HTTP no more: after attach and exec it carries a program's stdio.</summary>
internal sealed class TakenConnection : IAsyncDisposable
{
    private const int LongestHead = 64 << 10;
    private readonly Socket _socket;

    private TakenConnection(Socket socket, Stream stream)
    {
        _socket = socket;
        Stream = stream;
    }

    internal Stream Stream { get; }

    /// <summary>Says that no more input comes, and goes on listening.</summary>
    internal void CloseInput()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // The daemon was faster: the program has ended.
        }
    }

    public ValueTask DisposeAsync() => Stream.DisposeAsync();

    /// <summary>Sends the request over a connected socket and reads the answer's head.</summary>
    /// <returns>The connection; or, when the daemon does not give it away, its status and what it says.</returns>
    internal static async Task<(TakenConnection? Connection, int Status, byte[] Body)> OpenAsync(Socket socket, string path, byte[] body, CancellationToken stop)
    {
        var stream = new NetworkStream(socket, ownsSocket: true);
        try
        {
            var head = string.Create(
                CultureInfo.InvariantCulture,
                $"POST {path} HTTP/1.1\r\nHost: orch\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n");
            await stream.WriteAsync((byte[])[.. Encoding.ASCII.GetBytes(head), .. body], stop);
            var lines = await HeadAsync(stream, stop);
            var status = lines[0].Split(' ') is [_, var code, ..] && int.TryParse(code, CultureInfo.InvariantCulture, out var number)
                ? number
                : throw new InvalidDataException($"the daemon answered '{lines[0]}', which is not HTTP");
            if (status == 101)
                return (new TakenConnection(socket, stream), status, []);
            var length = lines.FirstOrDefault(l => l.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase)) is { } line ? int.Parse(line[15..], CultureInfo.InvariantCulture) : 0;
            var text = new byte[length];
            await stream.ReadExactlyAsync(text, stop);
            await stream.DisposeAsync();
            return (null, status, text);
        }
        catch
        {
            await stream.DisposeAsync();
            throw;
        }
    }

    /// <summary>Byte by byte: what follows the head is the program's.</summary>
    private static async Task<string[]> HeadAsync(NetworkStream stream, CancellationToken stop)
    {
        var head = new List<byte>();
        var one = new byte[1];
        while (!EndsWith(head, "\r\n\r\n"u8))
        {
            if (await stream.ReadAsync(one, stop) == 0 || head.Count > LongestHead)
                throw new InvalidDataException("the daemon's answer ends within its head");
            head.Add(one[0]);
        }

        return Encoding.ASCII.GetString([.. head]).Split("\r\n");
    }

    private static bool EndsWith(List<byte> bytes, ReadOnlySpan<byte> end) =>
        bytes.Count >= end.Length && System.Runtime.InteropServices.CollectionsMarshal.AsSpan(bytes)[^end.Length..].SequenceEqual(end);
}
