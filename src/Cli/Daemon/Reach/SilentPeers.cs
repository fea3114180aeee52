using System.Net.Sockets;

namespace Orchestrator.Cli.Daemon.Reach;

/// <summary>A host that lost its power sends no farewell: a connection to it has to end by itself, whether something is to be sent or not.</summary>
internal static class SilentPeers
{
    /// <summary>Seconds without a word until the other end is asked.</summary>
    private const int Idle = 4;

    /// <summary>Seconds between questions.</summary>
    private const int Between = 2;

    /// <summary>Questions without an answer, after which it is gone.</summary>
    private const int Unanswered = 3;

    /// <summary>TCP_USER_TIMEOUT of tcp(7), in milliseconds, which .NET has no name for: what was sent and is not acknowledged by then ends the connection.</summary>
    private const int UserTimeout = 18;

    internal static void EndOn(Socket socket)
    {
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, Idle);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, Between);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, Unanswered);
        socket.SetRawSocketOption((int)SocketOptionLevel.Tcp, UserTimeout, BitConverter.GetBytes((Idle + (Between * Unanswered)) * 1000));
    }
}
