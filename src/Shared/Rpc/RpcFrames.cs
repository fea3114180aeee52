using System.Buffers;
using System.Buffers.Binary;
using System.IO.Pipelines;
using System.Text.Json;

namespace Orchestrator.Shared.Rpc;

/// <summary>Length-prefixed messages: one byte of compression flag, four of big-endian length, the message (PROTOCOL-HTTP2.md).</summary>
internal static class RpcFrames
{
    internal const int PrefixBytes = 5;

    /// <summary>Reads the next message; nothing at a clean end.</summary>
    /// <param name="whenUnreadable">The status for bytes that are no message: the caller's fault on a server, the server's on a client.</param>
    internal static async ValueTask<(bool Any, T Value)> ReadAsync<T>(
        PipeReader reader, RpcCodec<T> codec, int maxBytes, RpcStatus whenUnreadable, CancellationToken stop)
    {
        while (true)
        {
            var result = await reader.ReadAsync(stop);
            var buffer = result.Buffer;
            if (TryTake(ref buffer, maxBytes, out var message))
            {
                var value = Decode(codec, message, whenUnreadable);
                reader.AdvanceTo(buffer.Start);
                return (true, value);
            }

            if (result.IsCompleted)
            {
                var cut = !buffer.IsEmpty;
                reader.AdvanceTo(buffer.End);
                return cut ? throw new RpcException(RpcStatus.Internal, "the stream ended in the middle of a message") : (false, default!);
            }

            reader.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    internal static void Write<T>(IBufferWriter<byte> target, RpcCodec<T> codec, T value, int maxBytes)
    {
        using var frame = new FrameBuffer();
        Write(frame, codec, value, maxBytes);
        target.Write(frame.Written);
    }

    /// <summary>After what the buffer holds already.</summary>
    internal static void Write<T>(FrameBuffer target, RpcCodec<T> codec, T value, int maxBytes)
    {
        var start = target.Written.Length;
        target.GetSpan(PrefixBytes);
        target.Advance(PrefixBytes);
        codec.Write(value, target);
        var bytes = target.Written[start..];
        var length = bytes.Length - PrefixBytes;
        if (length > maxBytes)
            throw TooBig(length, maxBytes);
        bytes[0] = 0;
        BinaryPrimitives.WriteUInt32BigEndian(bytes[1..], (uint)length);
    }

    private static bool TryTake(ref ReadOnlySequence<byte> buffer, int maxBytes, out ReadOnlySequence<byte> message)
    {
        message = default;
        if (buffer.Length < PrefixBytes)
            return false;
        Span<byte> prefix = stackalloc byte[PrefixBytes];
        buffer.Slice(0, PrefixBytes).CopyTo(prefix);
        if (prefix[0] != 0)
            throw new RpcException(RpcStatus.Unimplemented, "compressed messages are not supported; send grpc-encoding: identity");
        var length = BinaryPrimitives.ReadUInt32BigEndian(prefix[1..]);
        if (length > (uint)maxBytes)
            throw TooBig(length, maxBytes); // before waiting for it: the sender may never send so much
        if (buffer.Length < PrefixBytes + length)
            return false;
        message = buffer.Slice(PrefixBytes, length);
        buffer = buffer.Slice(message.End);
        return true;
    }

    private static T Decode<T>(RpcCodec<T> codec, ReadOnlySequence<byte> message, RpcStatus whenUnreadable)
    {
        try
        {
            return codec.Read(message);
        }
        catch (Exception e) when (e is JsonException or FormatException)
        {
            throw new RpcException(whenUnreadable, $"the message cannot be read: {e.Message}", e);
        }
    }

    private static RpcException TooBig(long length, int maxBytes) =>
        new(RpcStatus.ResourceExhausted, $"a message of {length} bytes is longer than the {maxBytes} allowed");
}

/// <summary>A growing pooled buffer, whose beginning can still be changed.</summary>
internal sealed class FrameBuffer : IBufferWriter<byte>, IDisposable
{
    private byte[] bytes = ArrayPool<byte>.Shared.Rent(512);
    private int written;

    internal Span<byte> Written => bytes.AsSpan(0, written);

    internal ReadOnlyMemory<byte> WrittenMemory => bytes.AsMemory(0, written);

    internal void Clear() => written = 0;

    public void Advance(int count) => written += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return bytes.AsMemory(written);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(sizeHint);
        return bytes.AsSpan(written);
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(bytes);
        bytes = [];
    }

    private void Reserve(int sizeHint)
    {
        var need = written + Math.Max(sizeHint, 1);
        if (need <= bytes.Length)
            return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(need, bytes.Length * 2));
        Written.CopyTo(larger);
        ArrayPool<byte>.Shared.Return(bytes);
        bytes = larger;
    }
}
