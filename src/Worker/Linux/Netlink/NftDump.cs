using System.Buffers.Binary;
using System.Text;

namespace Orchestrator.Worker.Linux.Netlink;

/// <summary>A chain of any IPv4 table. A chain that hooks nowhere has no hook and no policy.</summary>
internal sealed record NftChainInfo(string Table, string Name, NftHook? Hook, NftVerdict? Policy);

/// <summary>A rule as far as its owner knows it again.</summary>
internal sealed record NftRuleInfo(ulong Handle, string Comment);

/// <summary>Reads what other programs have in nf_tables, <c>linux/netfilter/nf_tables.h</c>.</summary>
internal static class NftDump
{
    private const ushort Subsystem = 10 << 8;
    private const ushort NewChain = Subsystem | 3;
    private const ushort GetChain = Subsystem | 4;
    private const ushort NewRule = Subsystem | 6;
    private const ushort GetRule = Subsystem | 7;
    private const byte FamilyIpv4 = 2;
    private const int GenericHeader = 4;

    internal static IReadOnlyList<NftChainInfo> Chains(NetlinkSocket socket)
    {
        var batch = new NetlinkBatch();
        batch.Begin("list nft chains", GetChain, NetlinkFlags.Request | NetlinkFlags.Dump);
        batch.UInt32(FamilyIpv4);
        batch.End();
        var found = new List<NftChainInfo>();
        socket.Query(batch, message =>
        {
            if (message.Type == NewChain && message.Body.Length >= GenericHeader)
                found.Add(Chain(message.Body[GenericHeader..]));
        });
        return found;
    }

    internal static IReadOnlyList<NftRuleInfo> Rules(NetlinkSocket socket, string table, string chain)
    {
        var batch = new NetlinkBatch();
        batch.Begin($"list nft rules of {table} {chain}", GetRule, NetlinkFlags.Request | NetlinkFlags.Dump);
        batch.UInt32(FamilyIpv4);
        batch.Attribute(1, table);
        batch.Attribute(2, chain);
        batch.End();
        var found = new List<NftRuleInfo>();
        socket.Query(batch, message =>
        {
            if (message.Type == NewRule && message.Body.Length >= GenericHeader)
                found.Add(Rule(message.Body[GenericHeader..]));
        });
        return found;
    }

    private static NftChainInfo Chain(ReadOnlySpan<byte> body)
    {
        var (table, name) = ("", "");
        NftHook? hook = null;
        NftVerdict? policy = null;
        var attributes = new NetlinkReader(body);
        while (attributes.NextAttribute(out var type, out var value))
        {
            switch (type)
            {
                case 1: table = NetlinkReader.Text(value); break;
                case 3: name = NetlinkReader.Text(value); break;
                case 4: hook = Hook(value); break;
                case 5: policy = (NftVerdict)BinaryPrimitives.ReadInt32BigEndian(value); break;
                default: break;
            }
        }

        return new NftChainInfo(table, name, hook, policy);
    }

    private static NftHook? Hook(ReadOnlySpan<byte> nest)
    {
        var attributes = new NetlinkReader(nest);
        while (attributes.NextAttribute(out var type, out var value))
        {
            if (type == 1)
                return (NftHook)BinaryPrimitives.ReadUInt32BigEndian(value);
        }

        return null;
    }

    private static NftRuleInfo Rule(ReadOnlySpan<byte> body)
    {
        var (handle, comment) = (0UL, "");
        var attributes = new NetlinkReader(body);
        while (attributes.NextAttribute(out var type, out var value))
        {
            if (type == 3)
                handle = BinaryPrimitives.ReadUInt64BigEndian(value);
            // libnftnl's user data of a rule: type 0 is the comment, then its length, then text with a zero.
            else if (type == 7 && value.Length > 2 && value[0] == 0)
                comment = Encoding.UTF8.GetString(value.Slice(2, Math.Min(value[1], value.Length - 2))).TrimEnd('\0');
        }

        return new NftRuleInfo(handle, comment);
    }
}
