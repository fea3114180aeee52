using System.Buffers;
using System.Text;
using Orchestrator.Shared.Protocol;

namespace Orchestrator.Tests.Unit.Shared.Protocol;

public sealed class LogRecordsCodecTests
{
    private static readonly LogRecord[] Records =
    [
        new() { Time = new(2031, 3, 1, 12, 0, 0, 123, 456, TimeSpan.Zero), Stream = "stdout", Line = "one\n"u8.ToArray() },
        new() { Time = DateTimeOffset.UnixEpoch, Stream = "stderr", Line = new byte[] { 0, 255, 13 }, Attributes = new Dictionary<string, string> { ["tag"] = "ü", ["empty"] = "" } },
        new() { Time = DateTimeOffset.MaxValue, Stream = "stdout", Line = default },
    ];

    private static byte[] Bytes()
    {
        var bytes = new ArrayBufferWriter<byte>();
        LogRecordsCodec.Instance.Write(Records, bytes);
        return bytes.WrittenSpan.ToArray();
    }

    [Fact]
    public void Records_come_back_as_they_were()
    {
        var back = LogRecordsCodec.Instance.Read(new(Bytes()));
        Assert.Equal(Records.Select(Words), back.Select(Words));
        Assert.Empty(LogRecordsCodec.Instance.Read(ReadOnlySequence<byte>.Empty));

        static string Words(LogRecord r) =>
            $"{r.Time.UtcTicks} {r.Stream} {Convert.ToHexString(r.Line.Span)} {string.Join(',', (r.Attributes ?? new Dictionary<string, string>()).Select(a => $"{a.Key}={a.Value}"))}";
    }

    [Fact]
    public void Bytes_that_are_no_records_are_refused_wherever_they_end()
    {
        var bytes = Bytes();
        var ends = new HashSet<int> { 0, 8 + 1 + 2 + 4 + 4, bytes.Length - (8 + 1 + 2 + 4) };
        for (var length = 0; length < bytes.Length; length++)
        {
            if (!ends.Contains(length))
                Assert.Throws<FormatException>(() => LogRecordsCodec.Instance.Read(new(bytes, 0, length)));
        }

        Assert.Throws<FormatException>(() => LogRecordsCodec.Instance.Read(new(Encoding.ASCII.GetBytes("what is this, no record of anything"))));
    }
}
