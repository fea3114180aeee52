using System.Buffers.Binary;
using System.Net;

namespace Orchestrator.Worker.Linux.Netlink;

/// <summary>Tracked connections, <c>linux/netfilter/nfnetlink_conntrack.h</c>.</summary>
internal static class Conntrack
{
    private const ushort Subsystem = 1 << 8;
    private const ushort New = Subsystem | 0;
    private const ushort Get = Subsystem | 1;
    private const ushort Delete = Subsystem | 2;
    private const byte FamilyIpv4 = 2;
    private const ushort TupleOriginal = 1;
    private const ushort TupleReply = 2;
    private const int GenericHeader = 4;
    private const ushort NestedFlag = 0x8000;

    /// <summary>The protocol, the port first asked for and who answers.</summary>
    internal readonly record struct Flow(byte Protocol, int AskedPort, IPAddress Answerer);

    /// <summary>
    /// Forgets the IPv4 flows that the predicate picks: the next packet is judged anew. Needed for UDP, where a flow that never pauses would keep
    /// its first backend for ever.
    /// </summary>
    internal static int Forget(NetlinkSocket socket, Predicate<Flow> pick)
    {
        var list = new NetlinkBatch();
        list.Begin("list tracked connections", Get, NetlinkFlags.Request | NetlinkFlags.Dump);
        list.UInt32(FamilyIpv4);
        list.End();
        var picked = new List<byte[]>();
        socket.Query(list, message =>
        {
            if (message.Type == New && message.Body.Length >= GenericHeader && Read(message.Body[GenericHeader..], out var tuple) is { } flow && pick(flow))
                picked.Add(tuple.ToArray());
        });
        foreach (var tuple in picked)
        {
            var forget = new NetlinkBatch();
            forget.Begin("forget tracked connection", Delete, NetlinkFlags.Request);
            forget.UInt32(FamilyIpv4);
            forget.Attribute(TupleOriginal | NestedFlag, tuple);
            forget.End();
            const int gone = 2;
            if (socket.TryExecute(forget) is { Errno: not gone } error)
                throw error;
        }

        return picked.Count;
    }

    internal static Flow? Read(ReadOnlySpan<byte> body, out ReadOnlySpan<byte> original)
    {
        original = default;
        var (protocol, port) = ((byte)0, 0);
        IPAddress? answerer = null;
        var attributes = new NetlinkReader(body);
        while (attributes.NextAttribute(out var type, out var value))
        {
            if (type == TupleOriginal)
            {
                original = value;
                var l4 = Find(value, 2);
                protocol = Find(l4, 1) is { Length: >= 1 } number ? number[0] : (byte)0;
                port = Find(l4, 3) is { Length: >= 2 } destination ? BinaryPrimitives.ReadUInt16BigEndian(destination) : 0;
            }
            else if (type == TupleReply && Find(Find(value, 1), 1) is { Length: 4 } source)
            {
                answerer = new IPAddress(source);
            }
        }

        return answerer is null || original.IsEmpty ? null : new Flow(protocol, port, answerer);
    }

    private static ReadOnlySpan<byte> Find(ReadOnlySpan<byte> nest, ushort wanted)
    {
        var attributes = new NetlinkReader(nest);
        while (attributes.NextAttribute(out var type, out var value))
        {
            if (type == wanted)
                return value;
        }

        return default;
    }
}
