using System.Net;

namespace Orchestrator.Worker.Linux.Netlink;

/// <summary>Where a nat or filter chain hooks into IPv4, <c>linux/netfilter_ipv4.h</c>.</summary>
internal enum NftHook : uint
{
    PreRouting = 0,
    Input = 1,
    Forward = 2,
    Output = 3,
    PostRouting = 4,
}

/// <summary>What a verdict does, <c>linux/netfilter.h</c> and <c>nf_tables.h</c>.</summary>
internal enum NftVerdict
{
    Drop = 0,
    Accept = 1,
    Jump = -3,
    Goto = -4,
}

/// <summary>
/// The expressions of one rule, in the order the kernel evaluates them, <c>linux/netfilter/nf_tables.h</c>.
/// Values pass through registers: 1 is 16 bytes wide, 8 and 9 are its first two words.
/// </summary>
internal readonly struct NftExpressions(NetlinkBatch batch)
{
    private const uint Register = 1;
    private const uint SecondWord = 9;
    private const uint VerdictRegister = 0;
    private const uint NetworkHeader = 1;
    private const uint TransportHeader = 2;
    private const int NameLength = 16;

    internal const uint Equal = 0;
    internal const uint NotEqual = 1;
    internal const byte Tcp = 6;
    internal const byte Udp = 17;

    internal void InputName(uint op, string name) => Name(6, op, name);

    internal void OutputName(uint op, string name) => Name(7, op, name);

    /// <summary>All interfaces whose name begins so.</summary>
    internal void InputNamePrefix(uint op, string prefix) => NamePrefix(6, op, prefix);

    internal void OutputNamePrefix(uint op, string prefix) => NamePrefix(7, op, prefix);

    internal void Protocol(byte protocol)
    {
        Meta(16, Register);
        Compare(Equal, [protocol]);
    }

    internal void SourceIn(IPNetwork network) => AddressIn(12, network);

    internal void DestinationIn(IPNetwork network) => AddressIn(16, network);

    internal void DestinationPort(int port)
    {
        Payload(TransportHeader, 2, 2, Register);
        Compare(Equal, [(byte)(port >> 8), (byte)port]);
    }

    /// <summary>The destination is one of this host's own addresses.</summary>
    internal void DestinationIsLocal()
    {
        using (Expression("fib"))
        {
            batch.AttributeBig32(1, Register);
            batch.AttributeBig32(2, 3);
            batch.AttributeBig32(3, 2);
        }

        Compare(Equal, BitConverter.GetBytes(2u));
    }

    /// <summary>Established or related.</summary>
    internal void Established()
    {
        Conntrack(0);
        Mask(2 | 4);
        Compare(NotEqual, [0, 0, 0, 0]);
    }

    /// <summary>The connection's destination was rewritten, which is how a published port shows.</summary>
    internal void DestinationWasRewritten()
    {
        Conntrack(2);
        Mask(1 << 5);
        Compare(NotEqual, [0, 0, 0, 0]);
    }

    /// <summary>Loads protocol and destination port as a key and goes where the map says.</summary>
    internal void ProtocolAndPortVerdict(string map)
    {
        Meta(16, Register);
        Payload(TransportHeader, 2, 2, SecondWord);
        using (Expression("lookup"))
        {
            batch.Attribute(1, map);
            batch.AttributeBig32(2, Register);
            batch.AttributeBig32(3, VerdictRegister);
        }
    }

    /// <summary>Goes on only if protocol and destination port are in the set.</summary>
    internal void ProtocolAndPortIn(string set)
    {
        Meta(16, Register);
        Payload(TransportHeader, 2, 2, SecondWord);
        using (Expression("lookup"))
        {
            batch.Attribute(1, set);
            batch.AttributeBig32(2, Register);
        }
    }

    internal void Reject(byte protocol)
    {
        using (Expression("reject"))
        {
            batch.AttributeBig32(1, protocol == Tcp ? 1u : 0u);
            batch.Attribute8(2, protocol == Tcp ? (byte)0 : (byte)3);
        }
    }

    internal void Masquerade()
    {
        using (Expression("masq"))
        {
        }
    }

    internal void Verdict(NftVerdict verdict)
    {
        using (Expression("immediate"))
        {
            batch.AttributeBig32(1, VerdictRegister);
            using (batch.Open(2, flagged: true))
            using (batch.Open(2, flagged: true))
                batch.AttributeBig32(1, (uint)verdict);
        }
    }

    /// <summary>Takes the next of the map's addresses in turn (the map is one made in the same batch) and sends the connection there.</summary>
    internal void BalanceTo(string map, uint mapId, int count, int port)
    {
        using (Expression("numgen"))
        {
            batch.AttributeBig32(1, Register);
            batch.AttributeBig32(2, (uint)count);
            batch.AttributeBig32(3, 0);
            batch.AttributeBig32(4, 0);
        }

        using (Expression("lookup"))
        {
            batch.Attribute(1, map);
            batch.AttributeBig32(2, Register);
            batch.AttributeBig32(3, Register);
            batch.AttributeBig32(4, mapId);
        }

        DestinationNat(port);
    }

    internal void RewriteTo(IPAddress address, int port)
    {
        Span<byte> bytes = stackalloc byte[4];
        address.TryWriteBytes(bytes, out _);
        Immediate(Register, bytes);
        DestinationNat(port);
    }

    private void DestinationNat(int port)
    {
        Immediate(SecondWord, [(byte)(port >> 8), (byte)port]);
        using (Expression("nat"))
        {
            batch.AttributeBig32(1, 1);
            batch.AttributeBig32(2, 2);
            batch.AttributeBig32(3, Register);
            batch.AttributeBig32(5, SecondWord);
        }
    }

    private void Immediate(uint register, ReadOnlySpan<byte> value)
    {
        using (Expression("immediate"))
        {
            batch.AttributeBig32(1, register);
            using (batch.Open(2, flagged: true))
                batch.Attribute(1, value);
        }
    }

    private void AddressIn(uint offset, IPNetwork network)
    {
        Span<byte> address = stackalloc byte[4];
        network.BaseAddress.TryWriteBytes(address, out _);
        Payload(NetworkHeader, offset, 4, Register);
        if (network.PrefixLength < 32)
            Bitwise(network.PrefixLength == 0 ? 0 : uint.MaxValue << (32 - network.PrefixLength));
        Compare(Equal, address);
    }

    private void Bitwise(uint mask)
    {
        using (Expression("bitwise"))
        {
            batch.AttributeBig32(1, Register);
            batch.AttributeBig32(2, Register);
            batch.AttributeBig32(3, 4);
            using (batch.Open(4, flagged: true))
                batch.AttributeBig32(1, mask);
            using (batch.Open(5, flagged: true))
                batch.AttributeBig32(1, 0);
        }
    }

    // conntrack's words are in host order, addresses in network order: the mask is written as the register holds it.
    private void Mask(uint hostOrder) => Bitwise(System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(hostOrder));

    private void Name(uint key, uint op, string name)
    {
        Span<byte> bytes = stackalloc byte[NameLength];
        bytes.Clear();
        System.Text.Encoding.ASCII.GetBytes(name, bytes);
        Meta(key, Register);
        Compare(op, bytes);
    }

    private void NamePrefix(uint key, uint op, string prefix)
    {
        Meta(key, Register);
        Compare(op, System.Text.Encoding.ASCII.GetBytes(prefix));
    }

    private void Meta(uint key, uint register)
    {
        using (Expression("meta"))
        {
            batch.AttributeBig32(1, register);
            batch.AttributeBig32(2, key);
        }
    }

    private void Conntrack(uint key)
    {
        using (Expression("ct"))
        {
            batch.AttributeBig32(1, Register);
            batch.AttributeBig32(2, key);
        }
    }

    private void Payload(uint header, uint offset, uint length, uint register)
    {
        using (Expression("payload"))
        {
            batch.AttributeBig32(1, register);
            batch.AttributeBig32(2, header);
            batch.AttributeBig32(3, offset);
            batch.AttributeBig32(4, length);
        }
    }

    private void Compare(uint op, ReadOnlySpan<byte> value)
    {
        using (Expression("cmp"))
        {
            batch.AttributeBig32(1, Register);
            batch.AttributeBig32(2, op);
            using (batch.Open(3, flagged: true))
                batch.Attribute(1, value);
        }
    }

    private ExpressionScope Expression(string name)
    {
        var element = batch.Open(1, flagged: true);
        batch.Attribute(1, name);
        return new ExpressionScope(batch.Open(2, flagged: true), element);
    }

    private readonly struct ExpressionScope(NetlinkBatch.Nest data, NetlinkBatch.Nest element) : IDisposable
    {
        public void Dispose()
        {
            data.Dispose();
            element.Dispose();
        }
    }
}
