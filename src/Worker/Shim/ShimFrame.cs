using System.Buffers.Binary;
using System.Text;

namespace Orchestrator.Worker.Shim;

internal enum FrameKind : byte
{
    Call = 1,
    Cancel = 2,
    Item = 3,
    End = 4,
    Failed = 5,
}

/// <summary>
/// One message on the shim's socket: u32 length of what follows, u8 kind in the lower four bits and number of open files that come with it in the
/// upper, u32 request id, payload (little endian). A call's payload is the service's and the operation's name, each with a length byte before it,
/// then the request.
/// </summary>
internal static class ShimFrame
{
    internal const int HeaderSize = 9;
    private const int LengthSize = 4;
    private const int Largest = 64 << 20;

    private const int FilesShift = 4;
    private const int KindMask = 0xf;

    internal static byte[] Encode(FrameKind kind, uint id, ReadOnlySpan<byte> payload, int files = 0)
    {
        var frame = new byte[HeaderSize + payload.Length];
        BinaryPrimitives.WriteInt32LittleEndian(frame, frame.Length - LengthSize);
        frame[LengthSize] = (byte)((int)kind | (files << FilesShift));
        BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(LengthSize + 1), id);
        payload.CopyTo(frame.AsSpan(HeaderSize));
        return frame;
    }

    internal static byte[] EncodeCall(uint id, string service, string operation, ReadOnlySpan<byte> request, int files)
    {
        byte[] payload = [checked((byte)service.Length), .. Encoding.ASCII.GetBytes(service), checked((byte)operation.Length), .. Encoding.ASCII.GetBytes(operation), .. request];
        return Encode(FrameKind.Call, id, payload, files);
    }

    internal static (string Service, string Operation, ReadOnlyMemory<byte> Request) DecodeCall(ReadOnlyMemory<byte> payload)
    {
        var service = Name(ref payload);
        var operation = Name(ref payload);
        return (service, operation, payload);
    }

    /// <summary>Reads frames until the stream ends, and holds the calling thread meanwhile. Each message is the receiver's to keep.</summary>
    internal static IEnumerable<(FrameKind Kind, uint Id, ShimMessage Message)> ReadAll(ShimStream stream)
    {
        var header = new byte[HeaderSize];
        while (stream.ReadAtLeast(header, HeaderSize, throwOnEndOfStream: false) == HeaderSize)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(header) - (HeaderSize - LengthSize);
            if (length is < 0 or > Largest)
                throw new InvalidDataException($"A frame of {length} bytes on the shim's socket.");
            var payload = new byte[length];
            stream.ReadExactly(payload);
            var files = stream.TakeFiles(header[LengthSize] >> FilesShift);
            yield return (
                (FrameKind)(header[LengthSize] & KindMask), BinaryPrimitives.ReadUInt32LittleEndian(header.AsSpan(LengthSize + 1)), new ShimMessage(payload, files));
        }
    }

    private static string Name(ref ReadOnlyMemory<byte> payload)
    {
        var length = payload.Span[0];
        var name = Encoding.ASCII.GetString(payload.Span.Slice(1, length));
        payload = payload[(length + 1)..];
        return name;
    }
}
