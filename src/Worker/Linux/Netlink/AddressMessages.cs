using System.Net;
using System.Net.Sockets;

namespace Orchestrator.Worker.Linux.Netlink;

/// <summary>Requests about addresses and routes, rtnetlink(7).</summary>
internal static class AddressMessages
{
    internal const ushort NewAddress = 20;
    internal const ushort GetAddress = 22;
    internal const ushort NewRoute = 24;
    internal const ushort GetRoute = 26;

    private const ushort IfaAddress = 1;
    private const ushort IfaLocal = 2;
    private const ushort IfaBroadcast = 4;
    private const ushort RtaGateway = 5;
    private const byte TableMain = 254;
    private const byte ProtocolStatic = 4;
    private const byte TypeUnicast = 1;

    internal static void AddAddress(this NetlinkBatch batch, int link, IPAddress address, int prefixLength, IPAddress? broadcast = null)
    {
        batch.Begin($"add address {address}/{prefixLength}", NewAddress, NetlinkFlags.Request | NetlinkFlags.Create | NetlinkFlags.Exclusive);
        batch.UInt8((byte)AddressFamily.InterNetwork);
        batch.UInt8((byte)prefixLength);
        batch.UInt8(0);
        batch.UInt8(0);
        batch.UInt32((uint)link);
        batch.Attribute(IfaLocal, address);
        batch.Attribute(IfaAddress, address);
        if (broadcast is not null)
            batch.Attribute(IfaBroadcast, broadcast);
        batch.End();
    }

    internal static void AddDefaultRoute(this NetlinkBatch batch, IPAddress gateway)
    {
        batch.Begin($"add default route via {gateway}", NewRoute, NetlinkFlags.Request | NetlinkFlags.Create | NetlinkFlags.Exclusive);
        RouteHeader(batch, TableMain, ProtocolStatic, TypeUnicast);
        batch.Attribute(RtaGateway, gateway);
        batch.End();
    }

    internal static void DumpAddresses(this NetlinkBatch batch)
    {
        batch.Begin("list addresses", GetAddress, NetlinkFlags.Request | NetlinkFlags.Dump);
        batch.UInt8((byte)AddressFamily.InterNetwork);
        batch.UInt8(0);
        batch.UInt16(0);
        batch.UInt32(0);
        batch.End();
    }

    internal static void DumpRoutes(this NetlinkBatch batch)
    {
        batch.Begin("list routes", GetRoute, NetlinkFlags.Request | NetlinkFlags.Dump);
        RouteHeader(batch, 0, 0, 0);
        batch.End();
    }

    // struct rtmsg
    private static void RouteHeader(NetlinkBatch batch, byte table, byte protocol, byte type)
    {
        batch.UInt8((byte)AddressFamily.InterNetwork);
        batch.UInt8(0);
        batch.UInt8(0);
        batch.UInt8(0);
        batch.UInt8(table);
        batch.UInt8(protocol);
        batch.UInt8(0);
        batch.UInt8(type);
        batch.UInt32(0);
    }
}
