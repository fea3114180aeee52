using System.Net.Sockets;
using Orchestrator.Shared.Security;

namespace Orchestrator.Cli.Client;

/// <summary>A connection to a daemon on which nothing of HTTP has been said yet, or a whole exchange has.</summary>
internal sealed class Dialled(Socket socket, Stream stream) : IDisposable
{
    internal Socket Socket => socket;

    /// <summary>Owns the socket.</summary>
    internal Stream Stream => stream;

    /// <summary>The other end has closed it, or says something that nobody asked for.</summary>
    internal bool HasEnded => socket.Poll(0, SelectMode.SelectRead);

    /// <summary>A unix socket's, connected at once or not at all.</summary>
    /// <exception cref="SocketException">Nobody listens there.</exception>
    internal static Dialled Unix(string path)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return new Dialled(socket, new NetworkStream(socket, ownsSocket: true));
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Says that nothing more comes, and goes on listening.</summary>
    /// <exception cref="IOException">The daemon has ended the connection.</exception>
    internal void CloseInput()
    {
        if (stream is HalfCloseTlsStream tls)
            tls.EndWritesAsync().GetAwaiter().GetResult();
        else
            socket.Shutdown(SocketShutdown.Send);
    }

    /// <summary>
    /// Whether a failed read is the end of what the daemon sends: a unix socket whose other end is closed while bytes of ours lie unread there gives
    /// all that was sent first and ECONNRESET then (unix(7)). TCP may have thrown output away with it.
    /// </summary>
    internal bool IsEnd(IOException failure) =>
        socket.AddressFamily == AddressFamily.Unix && failure.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionReset };

    /// <summary>Whoever reads or writes fails now.</summary>
    internal void Abort()
    {
        try
        {
            socket.Shutdown(SocketShutdown.Both);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It is over already.
        }
    }

    public void Dispose() => stream.Dispose();
}
