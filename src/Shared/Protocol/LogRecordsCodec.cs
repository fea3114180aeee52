using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Orchestrator.Shared.Rpc;

namespace Orchestrator.Shared.Protocol;

/// <summary>
/// Log records as bytes, one after the other: ticks of UTC (64 bits), stream (1 stdout, 2 stderr), number of attributes (16 bits) and each one's name and
/// text, the line; texts and lines with their length in bytes (32 bits) before them. All numbers little-endian.
/// </summary>
internal sealed class LogRecordsCodec : RpcCodec<IReadOnlyList<LogRecord>>
{
    internal static readonly LogRecordsCodec Instance = new();

    private const int HeadBytes = 8 + 1 + 2;

    public override string ContentSuffix => "";

    public override void Write(IReadOnlyList<LogRecord> value, IBufferWriter<byte> target)
    {
        foreach (var record in value)
        {
            var head = target.GetSpan(HeadBytes);
            BinaryPrimitives.WriteInt64LittleEndian(head, record.Time.UtcTicks);
            head[8] = record.Stream == "stderr" ? (byte)2 : (byte)1;
            BinaryPrimitives.WriteUInt16LittleEndian(head[9..], checked((ushort)(record.Attributes?.Count ?? 0)));
            target.Advance(HeadBytes);
            foreach (var (name, text) in record.Attributes ?? new Dictionary<string, string>())
            {
                Put(target, Encoding.UTF8.GetBytes(name));
                Put(target, Encoding.UTF8.GetBytes(text));
            }

            Put(target, record.Line.Span);
        }
    }

    public override IReadOnlyList<LogRecord> Read(ReadOnlySequence<byte> bytes)
    {
        var records = new List<LogRecord>();
        ReadOnlySpan<byte> left = bytes.ToArray();
        while (!left.IsEmpty)
        {
            var head = Take(ref left, HeadBytes);
            var ticks = BinaryPrimitives.ReadInt64LittleEndian(head);
            if (ticks < 0 || ticks > DateTimeOffset.MaxValue.UtcTicks || head[8] is not (1 or 2))
                throw new FormatException("a log record begins with no time and stream");
            var stream = head[8] == 2 ? "stderr" : "stdout";
            var count = BinaryPrimitives.ReadUInt16LittleEndian(head[9..]);
            var attributes = count == 0 ? null : new Dictionary<string, string>(StringComparer.Ordinal);
            for (var i = 0; i < count; i++)
            {
                var name = Encoding.UTF8.GetString(TakeCounted(ref left));
                attributes![name] = Encoding.UTF8.GetString(TakeCounted(ref left));
            }

            records.Add(new LogRecord { Time = new(ticks, TimeSpan.Zero), Stream = stream, Attributes = attributes, Line = TakeCounted(ref left).ToArray() });
        }

        return records;
    }

    private static void Put(IBufferWriter<byte> target, ReadOnlySpan<byte> bytes)
    {
        BinaryPrimitives.WriteInt32LittleEndian(target.GetSpan(4), bytes.Length);
        target.Advance(4);
        target.Write(bytes);
    }

    private static ReadOnlySpan<byte> TakeCounted(ref ReadOnlySpan<byte> left) => Take(ref left, BinaryPrimitives.ReadInt32LittleEndian(Take(ref left, 4)));

    private static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> left, int count)
    {
        if (count < 0 || count > left.Length)
            throw new FormatException("a log record is cut off");
        var taken = left[..count];
        left = left[count..];
        return taken;
    }
}
