using System.Net.Sockets;

namespace Orchestrator.Shared.Hosting;

/// <summary>
/// How long the other end of a TCP connection may be silent (tcp(7)). A host that lost its power sends no farewell: a connection to it has to end by itself.
/// </summary>
/// <param name="Idle">Seconds without a word until it is asked.</param>
/// <param name="Between">Seconds between questions.</param>
/// <param name="Unanswered">Questions without an answer, after which it is gone.</param>
internal sealed record PeerSilence(int Idle, int Between, int Unanswered)
{
    /// <summary>TCP_USER_TIMEOUT, which .NET has no name for.</summary>
    private const int UserTimeout = 18;

    /// <summary>Whether the same time is also the limit for what was sent and is not acknowledged, which the kernel else repeats for a quarter of an hour.</summary>
    internal bool AlsoWhileSending { get; init; }

    /// <summary>Ends the connection when the other end has been silent for that long.</summary>
    internal void Limit(Socket socket)
    {
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, Idle);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, Between);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, Unanswered);
        if (AlsoWhileSending)
            socket.SetRawSocketOption((int)SocketOptionLevel.Tcp, UserTimeout, BitConverter.GetBytes((Idle + (Between * Unanswered)) * 1000)); // milliseconds
    }
}
