using System.Buffers;
using Orchestrator.Shared.Rpc;

namespace Orchestrator.Tests.Bench.Cluster;

/// <summary>etcd's <c>KV.Put</c> as it is on the wire (etcdserverpb/rpc.proto: key is field 1, value field 2, both bytes).</summary>
internal static class EtcdPut
{
    internal static readonly RpcMethod<(byte[] Key, byte[] Value), ReadOnlyMemory<byte>> Method =
        new(RpcKind.Unary, "etcdserverpb.KV", "Put", new Codec(), BytesCodec.Instance);

    private sealed class Codec : RpcCodec<(byte[] Key, byte[] Value)>
    {
        public override string ContentSuffix => "";

        public override void Write((byte[] Key, byte[] Value) value, IBufferWriter<byte> target)
        {
            Field(target, 1, value.Key);
            Field(target, 2, value.Value);
        }

        public override (byte[] Key, byte[] Value) Read(ReadOnlySequence<byte> bytes) => throw new NotSupportedException("only sent");

        private static void Field(IBufferWriter<byte> target, int number, byte[] bytes)
        {
            var span = target.GetSpan(6);
            var n = 0;
            span[n++] = (byte)((number << 3) | 2);
            var length = (uint)bytes.Length;
            for (; length >= 0x80; length >>= 7)
                span[n++] = (byte)(length | 0x80);
            span[n++] = (byte)length;
            target.Advance(n);
            target.Write(bytes);
        }
    }
}
