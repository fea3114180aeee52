using System.Net;
using System.Net.Sockets;

namespace Orchestrator.Shared.Rpc;

/// <summary>Opens the byte stream under a channel; this is where another transport comes in.</summary>
public delegate ValueTask<Stream> RpcConnect(CancellationToken stop);

/// <summary>Ways to connect.</summary>
public static class RpcConnects
{
    public static RpcConnect Unix(string path) => stop => OpenAsync(
        new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified), new UnixDomainSocketEndPoint(path), stop);

    public static RpcConnect Tcp(EndPoint address) => stop => OpenAsync(
        new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true }, address, stop);

    private static async ValueTask<Stream> OpenAsync(Socket socket, EndPoint address, CancellationToken stop)
    {
        try
        {
            await socket.ConnectAsync(address, stop);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
