using System.Buffers.Binary;
using System.Text;

namespace Orchestrator.Worker.Linux.Netlink;

/// <summary>Walks the messages of a datagram and the attributes of a message, netlink(7).</summary>
internal ref struct NetlinkReader(ReadOnlySpan<byte> data)
{
    private const ushort TypeMask = 0x3fff;

    private ReadOnlySpan<byte> rest = data;

    /// <summary>A message: its type, flags, sequence number and what follows the header.</summary>
    internal readonly ref struct Message
    {
        internal ushort Type { get; init; }

        internal ushort Flags { get; init; }

        internal uint Sequence { get; init; }

        internal ReadOnlySpan<byte> Body { get; init; }
    }

    internal bool NextMessage(out Message message)
    {
        message = default;
        if (rest.Length < NetlinkBatch.HeaderLength)
            return false;
        var length = BinaryPrimitives.ReadInt32LittleEndian(rest);
        if (length < NetlinkBatch.HeaderLength || length > rest.Length)
            return false;
        message = new Message
        {
            Type = BinaryPrimitives.ReadUInt16LittleEndian(rest[4..]),
            Flags = BinaryPrimitives.ReadUInt16LittleEndian(rest[6..]),
            Sequence = BinaryPrimitives.ReadUInt32LittleEndian(rest[8..]),
            Body = rest[NetlinkBatch.HeaderLength..length],
        };
        rest = rest[Math.Min(Align(length), rest.Length)..];
        return true;
    }

    internal bool NextAttribute(out ushort type, out ReadOnlySpan<byte> value)
    {
        type = 0;
        value = default;
        if (rest.Length < 4)
            return false;
        var length = BinaryPrimitives.ReadUInt16LittleEndian(rest);
        if (length < 4 || length > rest.Length)
            return false;
        type = (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(rest[2..]) & TypeMask);
        value = rest[4..length];
        rest = rest[Math.Min(Align(length), rest.Length)..];
        return true;
    }

    /// <summary>A string attribute without the zero that ends it.</summary>
    internal static string Text(ReadOnlySpan<byte> value)
    {
        var end = value.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? value : value[..end]);
    }

    private static int Align(int length) => (length + 3) & ~3;
}
