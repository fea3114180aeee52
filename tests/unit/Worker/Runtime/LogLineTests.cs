using System.Buffers;
using System.Text;
using Orchestrator.Worker.Runtime.Logs;

namespace Orchestrator.Tests.Unit.Worker.Runtime;

public sealed class LogLineTests
{
    private static readonly DateTimeOffset Now = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero).AddTicks(1234500);

    [Theory]
    [InlineData("plain\n", """{"log":"plain\n","stream":"stdout","time":"2026-01-02T03:04:05.12345Z"}""")]
    [InlineData("\n", """{"log":"\n","stream":"stdout","time":"2026-01-02T03:04:05.12345Z"}""")]
    [InlineData("a\"b\\c\td\r\u0001<&>é\u2028\n", """{"log":"a\"b\\c\u0009d\r\u0001\u003c\u0026\u003eé\u2028\n","stream":"stdout","time":"2026-01-02T03:04:05.12345Z"}""")]
    [InlineData("rest", """{"log":"rest","stream":"stdout","time":"2026-01-02T03:04:05.12345Z"}""")]
    public void Lines_are_Dockers_byte_for_byte(string output, string line) => Assert.Equal([line], Split([Encoding.UTF8.GetBytes(output)]));

    [Fact]
    public void Broken_text_becomes_the_replacement_character() =>
        Assert.StartsWith("{\"log\":\"a\\ufffdb\\n\"", Split([[(byte)'a', 0xff, (byte)'b', (byte)'\n']]).Single());

    [Fact]
    public void However_the_bytes_arrive_the_lines_are_the_same()
    {
        var output = Encoding.UTF8.GetBytes($"one\ntwo\n{new string('x', 40000)}\nend");
        var whole = Split([output]);
        Assert.Equal(6, whole.Length);
        foreach (var size in (int[])[1, 7, 4096, 16384, 16385])
            Assert.Equal(whole, Split(output.Chunk(size)));
    }

    private static string[] Split(IEnumerable<byte[]> chunks)
    {
        var lines = new ArrayBufferWriter<byte>();
        var splitter = new LineSplitter("stdout"u8.ToArray());
        foreach (var chunk in chunks)
            splitter.Take(chunk, Now, lines);
        splitter.Finish(Now, lines);
        return Encoding.UTF8.GetString(lines.WrittenSpan).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
