using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Orchestrator.Worker.Linux.Netlink;

/// <summary>Flags of a netlink request, netlink(7).</summary>
[Flags]
internal enum NetlinkFlags : ushort
{
    None = 0,
    Request = 0x1,
    Replace = 0x100,
    Exclusive = 0x200,
    Create = 0x400,
    Append = 0x800,

    /// <summary>In a get request the two bits mean root and match: everything of a kind.</summary>
    Dump = Replace | Exclusive,
}

/// <summary>Several netlink requests in one buffer, each with the words an operator reads when it fails.</summary>
internal sealed class NetlinkBatch
{
    internal const int HeaderLength = 16;
    private const ushort Nested = 0x8000;

    private readonly Stack<int> nests = new();
    private readonly List<string> operations = [];
    private byte[] buffer = new byte[4096];
    private int length;
    private int messageStart = -1;

    /// <summary>The requests as they go to the kernel.</summary>
    internal ReadOnlySpan<byte> Bytes => buffer.AsSpan(0, length);

    internal bool IsEmpty => length == 0;

    /// <summary>What the request with this sequence number does; the numbers count from 1.</summary>
    internal string Operation(uint sequence)
        => sequence >= 1 && sequence <= operations.Count ? operations[(int)sequence - 1] : "netlink request";

    internal void Begin(string operation, ushort type, NetlinkFlags flags)
    {
        if (messageStart >= 0)
            throw new InvalidOperationException($"'{operation}' begun inside '{operations[^1]}'");
        messageStart = length;
        operations.Add(operation);
        UInt32(0);
        UInt16(type);
        UInt16((ushort)flags);
        UInt32((uint)operations.Count);
        UInt32(0);
    }

    internal void End()
    {
        if (nests.Count != 0)
            throw new InvalidOperationException($"'{operations[^1]}' ended with an open attribute");
        BinaryPrimitives.WriteInt32LittleEndian(buffer.AsSpan(messageStart), length - messageStart);
        messageStart = -1;
    }

    internal void UInt8(byte value) => Reserve(1)[0] = value;

    internal void UInt16(ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(Reserve(2), value);

    internal void UInt32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Reserve(4), value);

    internal void Attribute(ushort type, ReadOnlySpan<byte> value)
    {
        UInt16((ushort)(value.Length + 4));
        UInt16(type);
        value.CopyTo(Reserve(value.Length));
        Pad();
    }

    internal void Attribute(ushort type, string value)
    {
        Span<byte> bytes = stackalloc byte[Encoding.UTF8.GetMaxByteCount(value.Length) + 1];
        var count = Encoding.UTF8.GetBytes(value, bytes);
        bytes[count] = 0;
        Attribute(type, bytes[..(count + 1)]);
    }

    internal void Attribute(ushort type, uint value)
    {
        UInt16(8);
        UInt16(type);
        UInt32(value);
    }

    internal void Attribute(ushort type, IPAddress value)
    {
        Span<byte> bytes = stackalloc byte[16];
        value.TryWriteBytes(bytes, out var count);
        Attribute(type, bytes[..count]);
    }

    internal void Attribute8(ushort type, byte value) => Attribute(type, [value]);

    /// <summary>nf_tables speaks network order.</summary>
    internal void AttributeBig32(ushort type, uint value)
    {
        UInt16(8);
        UInt16(type);
        BinaryPrimitives.WriteUInt32BigEndian(Reserve(4), value);
    }

    /// <summary>An attribute that holds attributes until the returned scope is disposed. rtnetlink's old nests carry no flag, nf_tables' do.</summary>
    internal Nest Open(ushort type, bool flagged = false)
    {
        nests.Push(length);
        UInt16(0);
        UInt16((ushort)(type | (flagged ? Nested : 0)));
        return new Nest(this);
    }

    private void Close()
    {
        var start = nests.Pop();
        BinaryPrimitives.WriteUInt16LittleEndian(buffer.AsSpan(start), checked((ushort)(length - start)));
    }

    private void Pad()
    {
        while ((length & 3) != 0)
            Reserve(1)[0] = 0;
    }

    private Span<byte> Reserve(int count)
    {
        if (length + count > buffer.Length)
            Array.Resize(ref buffer, Math.Max(buffer.Length * 2, length + count));
        var span = buffer.AsSpan(length, count);
        length += count;
        return span;
    }

    /// <summary>Closes its attribute when disposed.</summary>
    internal readonly struct Nest(NetlinkBatch batch) : IDisposable
    {
        public void Dispose() => batch.Close();
    }
}
