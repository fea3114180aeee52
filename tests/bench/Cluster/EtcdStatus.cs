using Orchestrator.Shared.Rpc;

namespace Orchestrator.Tests.Bench.Cluster;

/// <summary>etcd's <c>Maintenance.Status</c>: the answer's header (field 1) names the member (its field 2), field 4 names the leader.</summary>
internal static class EtcdStatus
{
    internal static readonly RpcMethod<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> Method =
        new(RpcKind.Unary, "etcdserverpb.Maintenance", "Status", BytesCodec.Instance, BytesCodec.Instance);

    internal static bool Leads(ReadOnlySpan<byte> status)
    {
        ulong member = 0, leader = 0;
        while (!status.IsEmpty)
        {
            var (field, number, bytes) = Next(ref status);
            if (field == 4)
                leader = number;
            else if (field == 1)
                member = Member(bytes);
        }

        return leader != 0 && leader == member;
    }

    private static ulong Member(ReadOnlySpan<byte> header)
    {
        while (!header.IsEmpty)
        {
            if (Next(ref header) is (2, var number, _))
                return number;
        }

        return 0;
    }

    /// <summary>One field of a protobuf message; only the two wire types that these answers have.</summary>
    private static Field Next(ref ReadOnlySpan<byte> rest)
    {
        var key = Varint(ref rest);
        switch (key & 7)
        {
            case 0:
                return new((int)(key >> 3), Varint(ref rest), default);
            case 2:
                var length = (int)Varint(ref rest);
                var bytes = rest[..length];
                rest = rest[length..];
                return new((int)(key >> 3), 0, bytes);
            default:
                throw new FormatException($"wire type {key & 7} in etcd's answer");
        }
    }

    private static ulong Varint(ref ReadOnlySpan<byte> rest)
    {
        ulong value = 0;
        for (var shift = 0; ; shift += 7)
        {
            var b = rest[0];
            rest = rest[1..];
            value |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80)
                return value;
        }
    }

    private readonly ref struct Field(int number, ulong value, ReadOnlySpan<byte> bytes)
    {
        private readonly ReadOnlySpan<byte> _bytes = bytes;

        internal void Deconstruct(out int field, out ulong varint, out ReadOnlySpan<byte> content)
        {
            field = number;
            varint = value;
            content = _bytes;
        }
    }
}
