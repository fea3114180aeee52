using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using Orchestrator.Shared.Rpc;

namespace Orchestrator.Tests.Bench.Cluster;

/// <summary>
/// One HTTP/2 connection over which clients make unary gRPC calls, each after the answer to its last. A driver that costs as much as
/// what it measures hides the difference, and shares the processors with it: so this is no client library but frames (RFC 9113), written
/// together when several are due, with header blocks that never change (RFC 7541, literals without indexing).
/// </summary>
internal sealed class GrpcLoad(Stream connection, IWriteTarget target, int[] clients, Func<bool> goesOn, Action<int, long, long> answered)
{
    private const int FrameHeader = 9;
    private const byte EndStream = 1, EndHeaders = 4, Padded = 8, Ack = 1;
    private readonly byte[] headers = HeaderBlock(target.Path);
    private readonly Dictionary<int, (int Client, long Began, ArrayBufferWriter<byte> Answer)> calls = [];
    private readonly Queue<int> due = new(clients);
    private readonly FrameBuffer outgoing = new();
    private readonly FrameBuffer message = new();
    private byte[] incoming = new byte[64 << 10];
    private int next = 1;
    private long window = 65_535;

    /// <summary>Until it does not go on any more and the last answers are there.</summary>
    internal async Task RunAsync()
    {
        outgoing.Write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8);
        Frame(outgoing, 4, 0, 0, [0, 1, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0]); // no table of headers, no pushes
        Frame(outgoing, 8, 0, 0, [0x3f, 0, 0, 0]); // answers may come without end
        Begin();
        await LeaveAsync();
        var held = 0;
        while (calls.Count > 0 || due.Count > 0)
        {
            var read = await connection.ReadAsync(incoming.AsMemory(held));
            if (read == 0)
                throw new IOException($"{target.Name} closed the connection");
            held = Take(held + read);
            Begin();
            await LeaveAsync();
        }

        outgoing.Dispose();
        message.Dispose();
    }

    /// <summary>Sends for every client whose turn it is, as far as the server takes more.</summary>
    private void Begin()
    {
        while (due.TryPeek(out var client))
        {
            if (!goesOn())
            {
                due.Clear();
                return;
            }

            message.Clear();
            message.GetSpan(RpcFrames.PrefixBytes);
            message.Advance(RpcFrames.PrefixBytes);
            target.Encode(client, message);
            message.Written[0] = 0;
            BinaryPrimitives.WriteUInt32BigEndian(message.Written[1..], (uint)(message.Written.Length - RpcFrames.PrefixBytes));
            if (message.Written.Length > window)
                return;
            due.Dequeue();
            window -= message.Written.Length;
            Frame(outgoing, 1, EndHeaders, next, headers);
            Frame(outgoing, 0, EndStream, next, message.Written);
            calls[next] = (client, Stopwatch.GetTimestamp(), new ArrayBufferWriter<byte>(128));
            next += 2;
        }
    }

    private async Task LeaveAsync()
    {
        if (outgoing.Written.IsEmpty)
            return;
        await connection.WriteAsync(outgoing.WrittenMemory);
        outgoing.Clear();
    }

    /// <summary>Every frame that is there as a whole; answers how much of the next one is.</summary>
    private int Take(int held)
    {
        var at = 0;
        while (held - at >= FrameHeader)
        {
            var header = incoming.AsSpan(at, FrameHeader);
            var length = (header[0] << 16) | (header[1] << 8) | header[2];
            if (held - at < FrameHeader + length)
                break;
            On(header[3], header[4], BinaryPrimitives.ReadInt32BigEndian(header[5..]) & int.MaxValue, incoming.AsSpan(at + FrameHeader, length));
            at += FrameHeader + length;
        }

        incoming.AsSpan(at, held - at).CopyTo(incoming);
        if (held - at > incoming.Length / 2)
            Array.Resize(ref incoming, incoming.Length * 2);
        return held - at;
    }

    private void On(byte kind, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        switch (kind)
        {
            case 0 or 1 when (flags & Padded) != 0:
                throw new IOException($"{target.Name} pads its frames");
            case 0:
                calls[stream].Answer.Write(payload);
                break;
            case 1 when (flags & EndStream) == 0:
                break; // the answer's beginning
            case 1:
                End(stream);
                return;
            case 4 when (flags & Ack) == 0:
                Frame(outgoing, 4, Ack, 0, []);
                break;
            case 6 when (flags & Ack) == 0:
                Frame(outgoing, 6, Ack, 0, payload);
                break;
            case 8 when stream == 0:
                window += BinaryPrimitives.ReadUInt32BigEndian(payload);
                break;
            case 3 or 7 or 9:
                throw new IOException($"{target.Name} sent frame {kind}: {Encoding.ASCII.GetString(payload)}");
        }

        if (kind == 0 && (flags & EndStream) != 0)
            throw new IOException($"{target.Name} ended a call without its status");
    }

    /// <summary>A call that failed has a status and no message.</summary>
    private void End(int stream)
    {
        calls.Remove(stream, out var call);
        var bytes = call.Answer.WrittenSpan;
        if (bytes.Length < RpcFrames.PrefixBytes || bytes.Length - RpcFrames.PrefixBytes != BinaryPrimitives.ReadUInt32BigEndian(bytes[1..]))
            throw new IOException($"{target.Name} refused a write");
        answered(call.Client, call.Began, Stopwatch.GetTimestamp());
        target.Decode(call.Client, call.Answer.WrittenMemory[RpcFrames.PrefixBytes..]);
        due.Enqueue(call.Client);
    }

    private static void Frame(FrameBuffer into, byte kind, byte flags, int stream, ReadOnlySpan<byte> payload)
    {
        var header = into.GetSpan(FrameHeader);
        header[0] = (byte)(payload.Length >> 16);
        header[1] = (byte)(payload.Length >> 8);
        header[2] = (byte)payload.Length;
        header[3] = kind;
        header[4] = flags;
        BinaryPrimitives.WriteInt32BigEndian(header[5..], stream);
        into.Advance(FrameHeader);
        into.Write(payload);
    }

    /// <summary>Numbers are places in RFC 7541's static table.</summary>
    private static byte[] HeaderBlock(string path) =>
    [
        0x83, 0x87, // :method POST, :scheme https
        0x04, .. Text(path), // :path
        0x01, .. Text("localhost"), // :authority
        0x0f, 0x10, .. Text("application/grpc"), // content-type
        0x00, .. Text("te"), .. Text("trailers"),
    ];

    private static byte[] Text(string text) => [(byte)text.Length, .. Encoding.ASCII.GetBytes(text)];
}
