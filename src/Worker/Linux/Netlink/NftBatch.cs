using System.Net;

namespace Orchestrator.Worker.Linux.Netlink;

/// <summary>What a table sees, <c>linux/netfilter.h</c> NFPROTO_*.</summary>
internal enum NftFamily : byte
{
    Ipv4 = 2,

    /// <summary>Frames between the ports of a bridge, and between a port and the host.</summary>
    Bridge = 7,
}

/// <summary>One nf_tables transaction on one table: all of it happens or none, <c>linux/netfilter/nf_tables.h</c>.</summary>
internal sealed class NftBatch(string table, NftFamily family = NftFamily.Ipv4)
{
    private const ushort Subsystem = 10 << 8;
    private const uint SetAnonymous = 1;
    private const uint SetConstant = 2;
    private const uint SetMap = 8;
    private const uint TypeProtocol = 12;
    private const uint TypePort = 13;
    private const uint TypeIpv4 = 7;
    private const uint TypeInteger = 4;
    private const uint TypeVerdict = 0xffffff00;
    private const NetlinkFlags Create = NetlinkFlags.Request | NetlinkFlags.Create;

    private readonly NetlinkBatch batch = Start();
    private uint maps;

    /// <summary>Ends the transaction and returns its requests.</summary>
    internal NetlinkBatch Finish()
    {
        batch.Begin("commit nft transaction", 17, NetlinkFlags.Request);
        Header(0, 10);
        batch.End();
        return batch;
    }

    internal void AddTable()
    {
        Begin($"add nft table {table}", 0, Create);
        batch.End();
    }

    internal void DeleteTable()
    {
        Begin($"delete nft table {table}", 2, NetlinkFlags.Request);
        batch.End();
    }

    internal void AddBaseChain(string name, string type, NftHook hook, int priority)
    {
        Begin($"add nft chain {table} {name}", 3, Create);
        batch.Attribute(3, name);
        using (batch.Open(4, flagged: true))
        {
            batch.AttributeBig32(1, (uint)hook);
            batch.AttributeBig32(2, (uint)priority);
        }

        batch.Attribute(7, type);
        batch.End();
    }

    internal void AddChain(string name)
    {
        Begin($"add nft chain {table} {name}", 3, Create);
        batch.Attribute(3, name);
        batch.End();
    }

    internal void DeleteChain(string name)
    {
        Begin($"delete nft chain {table} {name}", 5, NetlinkFlags.Request);
        batch.Attribute(3, name);
        batch.End();
    }

    /// <summary>Removes every rule of the chain.</summary>
    internal void FlushChain(string name)
    {
        Begin($"flush nft chain {table} {name}", 8, NetlinkFlags.Request);
        batch.Attribute(2, name);
        batch.End();
    }

    internal void AddRule(string chain, Action<NftExpressions> expressions) => Rule(chain, comment: null, expressions, NetlinkFlags.Append);

    /// <summary>Puts the rule before the chain's others, with a comment to know it by.</summary>
    internal void InsertRule(string chain, string comment, Action<NftExpressions> expressions)
        => Rule(chain, comment, expressions, NetlinkFlags.None);

    internal void DeleteRule(string chain, ulong handle)
    {
        Begin($"delete nft rule {table} {chain}", 8, NetlinkFlags.Request);
        batch.Attribute(2, chain);
        Span<byte> bytes = stackalloc byte[8];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(bytes, handle);
        batch.Attribute(3, bytes);
        batch.End();
    }

    /// <summary>A map from protocol and port to a chain.</summary>
    internal void AddPortMap(string name) => AddPortSet(name, SetMap);

    /// <summary>A set of protocol and port.</summary>
    internal void AddPortSet(string name) => AddPortSet(name, 0);

    internal void AddPortElement(string set, byte protocol, int port, string? goTo) => PortElement(12, Create, set, protocol, port, goTo);

    internal void DeletePortElement(string set, byte protocol, int port) => PortElement(14, NetlinkFlags.Request, set, protocol, port, goTo: null);

    /// <summary>Appends a rule that sends connections to the addresses in turn, over an anonymous map of its own.</summary>
    internal void AddBalanceRule(string chain, IReadOnlyList<IPAddress> addresses, int port, Action<NftExpressions>? match = null)
    {
        const string anonymous = "__map%d";
        var id = ++maps;
        Begin($"add nft map for {table} {chain}", 9, Create);
        batch.Attribute(2, anonymous);
        batch.AttributeBig32(3, SetAnonymous | SetConstant | SetMap);
        batch.AttributeBig32(4, TypeInteger);
        batch.AttributeBig32(5, 4);
        batch.AttributeBig32(6, TypeIpv4);
        batch.AttributeBig32(7, 4);
        batch.AttributeBig32(10, id);
        // libnftnl's user data: key byte order (type 0, length 4) is host order (1). Without it nft(8) shows the keys byte-swapped.
        batch.Attribute(13, [0, 4, 1, 0, 0, 0]);
        batch.End();

        Begin($"fill nft map of {table} {chain}", 12, Create);
        batch.Attribute(2, anonymous);
        batch.AttributeBig32(4, id);
        using (batch.Open(3, flagged: true))
        {
            for (var i = 0; i < addresses.Count; i++)
            {
                using (batch.Open(1, flagged: true))
                {
                    using (batch.Open(1, flagged: true))
                        batch.Attribute(1, BitConverter.GetBytes((uint)i));
                    using (batch.Open(2, flagged: true))
                        batch.Attribute(1, addresses[i]);
                }
            }
        }

        batch.End();
        AddRule(chain, rule =>
        {
            match?.Invoke(rule);
            rule.BalanceTo(anonymous, id, addresses.Count, port);
        });
    }

    private static NetlinkBatch Start()
    {
        var started = new NetlinkBatch();
        started.Begin("begin nft transaction", 16, NetlinkFlags.Request);
        WriteHeader(started, 0, 10);
        started.End();
        return started;
    }

    private void Rule(string chain, string? comment, Action<NftExpressions> expressions, NetlinkFlags position)
    {
        Begin($"add nft rule to {table} {chain}", 6, Create | position);
        batch.Attribute(2, chain);
        using (batch.Open(4, flagged: true))
            expressions(new NftExpressions(batch));
        if (comment is not null)
        {
            // libnftnl's user data: type 0 is a comment, then its length with the zero that ends it.
            byte[] text = [.. System.Text.Encoding.ASCII.GetBytes(comment), 0];
            batch.Attribute(7, [0, (byte)text.Length, .. text]);
        }

        batch.End();
    }

    private void AddPortSet(string name, uint flags)
    {
        Begin($"add nft set {table} {name}", 9, Create);
        batch.Attribute(2, name);
        batch.AttributeBig32(3, flags);
        batch.AttributeBig32(4, (TypeProtocol << 6) | TypePort);
        batch.AttributeBig32(5, 8);
        if ((flags & SetMap) != 0)
        {
            batch.AttributeBig32(6, TypeVerdict);
            batch.AttributeBig32(7, 0);
        }

        batch.AttributeBig32(10, ++maps);
        batch.End();
    }

    private void PortElement(ushort type, NetlinkFlags flags, string set, byte protocol, int port, string? goTo)
    {
        Begin($"change nft set {table} {set}", type, flags);
        batch.Attribute(2, set);
        using (batch.Open(3, flagged: true))
        using (batch.Open(1, flagged: true))
        {
            using (batch.Open(1, flagged: true))
                batch.Attribute(1, [protocol, 0, 0, 0, (byte)(port >> 8), (byte)port, 0, 0]);
            if (goTo is not null)
            {
                using (batch.Open(2, flagged: true))
                using (batch.Open(2, flagged: true))
                {
                    batch.AttributeBig32(1, unchecked((uint)(int)NftVerdict.Goto));
                    batch.Attribute(2, goTo);
                }
            }
        }

        batch.End();
    }

    private void Begin(string operation, ushort type, NetlinkFlags flags)
    {
        batch.Begin(operation, (ushort)(Subsystem | type), flags);
        Header((byte)family, 0);
        batch.Attribute(1, table);
    }

    private void Header(byte protocol, ushort resource) => WriteHeader(batch, protocol, resource);

    // struct nfgenmsg; its last field is in network order.
    private static void WriteHeader(NetlinkBatch target, byte family, ushort resource)
    {
        target.UInt8(family);
        target.UInt8(0);
        target.UInt8((byte)(resource >> 8));
        target.UInt8((byte)resource);
    }
}
