using System.Net.NetworkInformation;

using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Linux.Netlink;

/// <summary>Requests about links, rtnetlink(7) and <c>linux/if_link.h</c>.</summary>
internal static class LinkMessages
{
    internal const ushort NewLink = 16;
    internal const ushort DeleteLinkType = 17;
    internal const ushort GetLink = 18;
    internal const uint Up = 1;

    private const ushort IflaAddress = 1;
    private const ushort IflaName = 3;
    private const ushort IflaMtu = 4;
    private const ushort IflaMaster = 10;
    private const ushort IflaLinkInfo = 18;
    private const ushort IflaNetNsFd = 28;
    private const ushort IflaAlias = 20;
    private const ushort IflaAfSpec = 26;
    private const ushort AfInet6 = 10;
    private const ushort Inet6AddressGeneration = 8;
    private const ushort InfoKind = 1;
    private const ushort InfoData = 2;
    private const ushort InfoSlaveKind = 4;
    private const ushort InfoSlaveData = 5;
    private const ushort VethPeer = 1;
    private const ushort VxlanId = 1;
    private const ushort VxlanPort = 15;
    private const ushort BridgePortHairpin = 4;

    internal static void CreateBridge(this NetlinkBatch batch, string name, PhysicalAddress mac, int mtu)
    {
        batch.Begin($"create bridge {name}", NewLink, NetlinkFlags.Request | NetlinkFlags.Create | NetlinkFlags.Exclusive);
        Header(batch, 0, 0, 0);
        batch.Attribute(IflaName, name);
        batch.Attribute(IflaAddress, mac.GetAddressBytes());
        batch.Attribute(IflaMtu, (uint)mtu);
        using (batch.Open(IflaLinkInfo))
            batch.Attribute(InfoKind, "bridge");
        batch.End();
    }

    /// <summary>A VXLAN endpoint without a device of its own below it, <c>linux/if_link.h</c> IFLA_VXLAN_*.</summary>
    internal static void CreateVxlan(this NetlinkBatch batch, string name, uint vni, ushort port)
    {
        batch.Begin($"create vxlan {name}", NewLink, NetlinkFlags.Request | NetlinkFlags.Create | NetlinkFlags.Exclusive);
        Header(batch, 0, 0, 0);
        batch.Attribute(IflaName, name);
        using (batch.Open(IflaLinkInfo))
        {
            batch.Attribute(InfoKind, "vxlan");
            using (batch.Open(InfoData))
            {
                batch.Attribute(VxlanId, vni);
                batch.Attribute(VxlanPort, [(byte)(port >> 8), (byte)port]);
            }
        }

        batch.End();
    }

    /// <summary>A pair with one end here on the bridge and the other inside the namespace, both still down: a peer born up gives ENOTCONN.</summary>
    internal static void CreateVeth(
        this NetlinkBatch batch, string name, int bridge, string peerName, SafeFileHandle peerNamespace, PhysicalAddress peerMac, int mtu)
    {
        batch.Begin($"create veth {name}", NewLink, NetlinkFlags.Request | NetlinkFlags.Create | NetlinkFlags.Exclusive);
        Header(batch, 0, 0, 0);
        batch.Attribute(IflaName, name);
        batch.Attribute(IflaMtu, (uint)mtu);
        batch.Attribute(IflaMaster, (uint)bridge);
        using (batch.Open(IflaLinkInfo))
        {
            batch.Attribute(InfoKind, "veth");
            using (batch.Open(InfoData))
            using (batch.Open(VethPeer))
            {
                Header(batch, 0, 0, 0);
                batch.Attribute(IflaName, peerName);
                batch.Attribute(IflaMtu, (uint)mtu);
                batch.Attribute(IflaAddress, peerMac.GetAddressBytes());
                batch.Attribute(IflaNetNsFd, (uint)peerNamespace.DangerousGetHandle());
            }
        }

        batch.End();
    }

    /// <summary>Lets frames leave by the bridge port they came from: a container that calls its own published port, when bridged frames pass netfilter.</summary>
    internal static void SetHairpin(this NetlinkBatch batch, string portName)
    {
        batch.Begin($"set hairpin on {portName}", NewLink, NetlinkFlags.Request);
        Header(batch, 0, 0, 0);
        batch.Attribute(IflaName, portName);
        using (batch.Open(IflaLinkInfo))
        {
            batch.Attribute(InfoSlaveKind, "bridge");
            using (batch.Open(InfoSlaveData))
                batch.Attribute8(BridgePortHairpin, 1);
        }

        batch.End();
    }

    /// <summary>No fe80:: address when the link comes up: on bridge ports it only costs multicast traffic on every attach. Refused in the creating request.</summary>
    internal static void SetNoLinkLocal(this NetlinkBatch batch, string name)
    {
        batch.Begin($"set address generation of {name}", NewLink, NetlinkFlags.Request);
        Header(batch, 0, 0, 0);
        batch.Attribute(IflaName, name);
        using (batch.Open(IflaAfSpec))
        using (batch.Open(AfInet6))
            batch.Attribute8(Inet6AddressGeneration, 1);
        batch.End();
    }

    /// <summary>The words that <c>ip link</c> shows. Ignored in the creating request.</summary>
    internal static void SetAlias(this NetlinkBatch batch, string name, string alias)
    {
        batch.Begin($"set alias of {name}", NewLink, NetlinkFlags.Request);
        Header(batch, 0, 0, 0);
        batch.Attribute(IflaName, name);
        batch.Attribute(IflaAlias, alias);
        batch.End();
    }

    internal static void SetUp(this NetlinkBatch batch, string name)
    {
        batch.Begin($"set {name} up", NewLink, NetlinkFlags.Request);
        Header(batch, 0, Up, Up);
        batch.Attribute(IflaName, name);
        batch.End();
    }

    internal static void SetUp(this NetlinkBatch batch, int index)
    {
        batch.Begin($"set link {index} up", NewLink, NetlinkFlags.Request);
        Header(batch, index, Up, Up);
        batch.End();
    }

    internal static void DeleteLink(this NetlinkBatch batch, string name)
    {
        batch.Begin($"delete link {name}", DeleteLinkType, NetlinkFlags.Request);
        Header(batch, 0, 0, 0);
        batch.Attribute(IflaName, name);
        batch.End();
    }

    internal static void DumpLinks(this NetlinkBatch batch)
    {
        batch.Begin("list links", GetLink, NetlinkFlags.Request | NetlinkFlags.Dump);
        Header(batch, 0, 0, 0);
        batch.End();
    }

    internal static void FindLink(this NetlinkBatch batch, string name)
    {
        batch.Begin($"find link {name}", GetLink, NetlinkFlags.Request);
        Header(batch, 0, 0, 0);
        batch.Attribute(IflaName, name);
        batch.End();
    }

    // struct ifinfomsg
    private static void Header(NetlinkBatch batch, int index, uint flags, uint change)
    {
        batch.UInt32(0);
        batch.UInt32((uint)index);
        batch.UInt32(flags);
        batch.UInt32(change);
    }
}
