using System.Buffers.Binary;
using System.Net;

namespace Orchestrator.Worker.Linux.Netlink;

/// <summary>A socket that has a local port for itself: listening TCP, bound TCP, unconnected UDP.</summary>
internal sealed record BoundSocket(byte Protocol, IPAddress Address, int Port, uint Inode);

/// <summary>Lists sockets, sock_diag(7) and <c>linux/inet_diag.h</c>.</summary>
internal static class SocketDiagnostics
{
    private const ushort SockDiagByFamily = 20;
    private const ushort SockDestroy = 21;
    private const byte Tcp = 6;
    private const int IdLength = 48; // struct inet_diag_sockid
    private const uint StateTimeWait = 1 << 6;
    private const int NoEntry = 2;
    private const int NotSupported = 95;
    private const byte AfInet = 2;
    private const byte AfInet6 = 10;
    private const uint StateClose = 1 << 7;
    private const uint StateListen = 1 << 10;

    /// <summary>Bound but neither listening nor connected; kernels before 6.8 do not tell.</summary>
    private const uint StateBoundInactive = 1 << 13;

    internal static IReadOnlyList<BoundSocket> ReadBound(NetlinkSocket socket)
    {
        var found = new List<BoundSocket>();
        foreach (var family in (ReadOnlySpan<byte>)[AfInet, AfInet6])
        {
            foreach (var (protocol, states) in (ReadOnlySpan<(byte, uint)>)[(6, StateListen | StateBoundInactive), (17, StateClose)])
            {
                var batch = new NetlinkBatch();
                Request(batch, family, protocol, states);
                socket.Query(batch, message =>
                {
                    if (Parse(message, protocol) is { } bound)
                        found.Add(bound);
                });
            }
        }

        return found;
    }

    /// <summary>
    /// Ends every TCP connection of the socket's network namespace, also those that no process has any more (SOCK_DESTROY). Before Linux 6.12 such a one would
    /// stay for ever (kernel commit bac76cf89816): do not call it there.
    /// </summary>
    internal static void DestroyConnections(NetlinkSocket socket)
    {
        foreach (var family in (ReadOnlySpan<byte>)[AfInet, AfInet6])
        {
            var connections = new List<byte[]>();
            var list = new NetlinkBatch();
            Request(list, family, Tcp, ~(StateClose | StateListen | StateTimeWait | StateBoundInactive));
            socket.Query(list, message =>
            {
                if (message.Type == SockDiagByFamily && message.Body.Length >= 4 + IdLength)
                    connections.Add(message.Body.Slice(4, IdLength).ToArray());
            });
            foreach (var id in connections)
            {
                var batch = new NetlinkBatch();
                batch.Begin("end a connection", SockDestroy, NetlinkFlags.Request);
                batch.UInt8(family);
                batch.UInt8(Tcp);
                batch.UInt16(0);
                batch.UInt32(uint.MaxValue);
                foreach (var one in id)
                    batch.UInt8(one);
                batch.End();
                // It may have ended meanwhile; a kernel without the call (CONFIG_INET_DIAG_DESTROY) lets it end by itself.
                if (socket.TryExecute(batch) is { } error && error.Errno is not (NoEntry or NotSupported))
                    throw error;
            }
        }
    }

    // struct inet_diag_req_v2
    private static void Request(NetlinkBatch batch, byte family, byte protocol, uint states)
    {
        batch.Begin("list sockets", SockDiagByFamily, NetlinkFlags.Request | NetlinkFlags.Dump);
        batch.UInt8(family);
        batch.UInt8(protocol);
        batch.UInt16(0);
        batch.UInt32(states);
        for (var word = 0; word < 12; word++)
            batch.UInt32(0);
        batch.End();
    }

    // struct inet_diag_msg: family, state, timer, retrans; sport, dport (network order); src[16], dst[16], if, cookie[2]; expires, rqueue, wqueue, uid, inode
    internal static BoundSocket? Parse(NetlinkReader.Message message, byte protocol)
    {
        const int inodeOffset = 68;
        if (message.Type != SockDiagByFamily || message.Body.Length < inodeOffset + 4)
            return null;
        var address = new IPAddress(message.Body[0] == AfInet ? message.Body[8..12] : message.Body[8..24]);
        return new BoundSocket(
            protocol, address, BinaryPrimitives.ReadUInt16BigEndian(message.Body[4..]), BinaryPrimitives.ReadUInt32LittleEndian(message.Body[inodeOffset..]));
    }
}
