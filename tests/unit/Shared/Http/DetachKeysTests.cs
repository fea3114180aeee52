using System.Buffers;
using System.Text;
using Orchestrator.Shared.Http;

namespace Orchestrator.Tests.Unit.Shared.Http;

public sealed class DetachKeysTests
{
    [Theory]
    [InlineData(null, "ls\u0010\u0011rest", "ls", true)]
    [InlineData("", "\u0010x\u0010\u0010\u0011", "\u0010x\u0010", true)]
    [InlineData("a,a,b", "aaab", "a", true)]
    [InlineData("a,b,a,c", "ababac", "ab", true)]
    [InlineData("ctrl-@,DEL", "q\0\u007f", "q", true)]
    [InlineData("ctrl-[,ctrl-_", "\u001b\u001b\u001f", "\u001b", true)]
    [InlineData(null, "\u0011\u0010", "\u0011", false)]
    public void What_is_not_the_sequence_goes_through_wherever_the_pieces_are_cut(string? keys, string typed, string through, bool left)
    {
        var bytes = Encoding.ASCII.GetBytes(typed);
        for (var piece = 1; piece <= bytes.Length; piece++)
        {
            var detach = DetachKeys.Parse(keys).Keys!;
            var got = new ArrayBufferWriter<byte>();
            var pressed = bytes.Chunk(piece).TakeWhile(c => !detach.Take(c, got)).Count() < bytes.Chunk(piece).Count();
            Assert.Equal((through, left), (Encoding.ASCII.GetString(got.WrittenSpan), pressed));
        }
    }

    [Theory]
    [InlineData("ctrl-A")]
    [InlineData("ctrl-")]
    [InlineData("a,,b")]
    [InlineData("ab")]
    [InlineData("é")]
    public void What_is_no_key_is_named(string keys)
    {
        var (parsed, error) = DetachKeys.Parse(keys);
        Assert.Null(parsed);
        Assert.Contains($"Invalid detach keys ({keys}) provided", error, StringComparison.Ordinal);
    }
}
