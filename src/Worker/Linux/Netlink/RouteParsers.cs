using System.Buffers.Binary;
using System.Net;

namespace Orchestrator.Worker.Linux.Netlink;

/// <summary>A link as the kernel lists it.</summary>
internal sealed record LinkInfo(int Index, string Name, string Kind, uint Flags, int Mtu, int Master, string Alias);

/// <summary>An IPv4 address on a link.</summary>
internal sealed record AddressInfo(int Link, IPAddress Address, int PrefixLength);

/// <summary>An IPv4 route of the main table.</summary>
internal sealed record RouteInfo(IPNetwork Destination, int Link, IPAddress? Gateway);

/// <summary>Reads rtnetlink's replies, rtnetlink(7).</summary>
internal static class RouteParsers
{
    private const byte TableMain = 254;

    internal static LinkInfo? Link(NetlinkReader.Message message)
    {
        if (message.Type != LinkMessages.NewLink || message.Body.Length < 16)
            return null;
        var index = BinaryPrimitives.ReadInt32LittleEndian(message.Body[4..]);
        var flags = BinaryPrimitives.ReadUInt32LittleEndian(message.Body[8..]);
        var (name, kind, alias, mtu, master) = ("", "", "", 0, 0);
        var attributes = new NetlinkReader(message.Body[16..]);
        while (attributes.NextAttribute(out var type, out var value))
        {
            switch (type)
            {
                case 3: name = NetlinkReader.Text(value); break;
                case 4: mtu = BinaryPrimitives.ReadInt32LittleEndian(value); break;
                case 10: master = BinaryPrimitives.ReadInt32LittleEndian(value); break;
                case 18: kind = Kind(value); break;
                case 20: alias = NetlinkReader.Text(value); break;
                default: break;
            }
        }

        return new LinkInfo(index, name, kind, flags, mtu, master, alias);
    }

    internal static AddressInfo? Address(NetlinkReader.Message message)
    {
        if (message.Type != AddressMessages.NewAddress || message.Body.Length < 8)
            return null;
        var attributes = new NetlinkReader(message.Body[8..]);
        while (attributes.NextAttribute(out var type, out var value))
        {
            if (type == 2)
                return new AddressInfo(BinaryPrimitives.ReadInt32LittleEndian(message.Body[4..]), new IPAddress(value), message.Body[1]);
        }

        return null;
    }

    internal static RouteInfo? Route(NetlinkReader.Message message)
    {
        if (message.Type != AddressMessages.NewRoute || message.Body.Length < 12 || message.Body[4] != TableMain)
            return null;
        IPAddress destination = IPAddress.Any;
        IPAddress? gateway = null;
        var link = 0;
        var attributes = new NetlinkReader(message.Body[12..]);
        while (attributes.NextAttribute(out var type, out var value))
        {
            switch (type)
            {
                case 1: destination = new IPAddress(value); break;
                case 4: link = BinaryPrimitives.ReadInt32LittleEndian(value); break;
                case 5: gateway = new IPAddress(value); break;
                default: break;
            }
        }

        return new RouteInfo(new IPNetwork(destination, message.Body[1]), link, gateway);
    }

    private static string Kind(ReadOnlySpan<byte> info)
    {
        var attributes = new NetlinkReader(info);
        while (attributes.NextAttribute(out var type, out var value))
        {
            if (type == 1)
                return NetlinkReader.Text(value);
        }

        return "";
    }
}
