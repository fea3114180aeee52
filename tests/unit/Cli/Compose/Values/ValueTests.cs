using FsCheck;
using FsCheck.Fluent;
using Orchestrator.Cli.Compose.Values;

namespace Orchestrator.Tests.Unit.Cli.Compose.Values;

public sealed class ValueTests
{
    [Theory]
    [InlineData("0", 0)]
    [InlineData("10s", 10_000)]
    [InlineData("1m30s", 90_000)]
    [InlineData("1.5h", 5_400_000)]
    [InlineData("500ms", 500)]
    [InlineData("1000us", 1)]
    [InlineData("1d", 86_400_000)]
    [InlineData("-2s", -2_000)]
    public void Durations_are_read_as_go_writes_them(string text, long milliseconds) =>
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), Durations.Parse(text).Value);

    [Theory]
    [InlineData("10")]
    [InlineData("")]
    [InlineData("s")]
    [InlineData("1x")]
    [InlineData("1..5s")]
    [InlineData("9999999999999999h")]
    [InlineData("1s 2s")]
    public void Other_durations_are_refused(string text) => Assert.NotNull(Durations.Parse(text).Error);

    [Theory]
    [InlineData("0", 0)]
    [InlineData("1024", 1024)]
    [InlineData("1k", 1024)]
    [InlineData("64m", 64L << 20)]
    [InlineData("1.5g", 3L << 29)]
    [InlineData("2GB", 2L << 30)]
    [InlineData("1 TiB", 1L << 40)]
    public void Sizes_count_in_units_of_1024(string text, long bytes) => Assert.Equal(bytes, ByteSizes.Parse(text).Value);

    [Theory]
    [InlineData("")]
    [InlineData("m")]
    [InlineData("-1")]
    [InlineData("5q")]
    [InlineData("99999999p")]
    public void Other_sizes_are_refused(string text) => Assert.NotNull(ByteSizes.Parse(text).Error);

    [Theory]
    [InlineData("80", "80>0/tcp")]
    [InlineData("8080:80", "80>8080/tcp")]
    [InlineData("53:53/udp", "53>53/udp")]
    [InlineData("8000-8001:80-81", "80>8000/tcp 81>8001/tcp")]
    [InlineData("80-81", "80>0/tcp 81>0/tcp")]
    [InlineData(":80", "80>0/tcp")]
    public void Ports_are_read_in_the_short_form(string text, string expected) =>
        Assert.Equal(expected, string.Join(' ', PortSpecs.Parse(text).Value.Select(p => $"{p.TargetPort}>{p.PublishedPort}/{p.Protocol}")));

    [Theory]
    [InlineData("0", "a port is a whole number from 1 to 65535")]
    [InlineData("65536:80", "a port is a whole number from 1 to 65535")]
    [InlineData("80:a", "holds 'a'")]
    [InlineData("1-3:1-2", "ranges of different length: 3 published for 2")]
    [InlineData("2-1", "is not a port")]
    [InlineData("80:80/icmp", "unknown protocol 'icmp'")]
    [InlineData("127.0.0.1:80:80", "host address '127.0.0.1'")]
    [InlineData("[::1]:80:80", "host address '[::1]'")]
    public void Other_ports_are_refused_with_the_part_that_is_wrong(string text, string part) =>
        Assert.Contains(part, PortSpecs.Parse(text).Error, StringComparison.Ordinal);

    [Fact]
    public void Every_port_pair_reads_back() =>
        Check.QuickThrowOnFailure(Prop.ForAll(Gen.Choose(1, 65535).Two().ToArbitrary(), pair =>
            PortSpecs.Parse($"{pair.Item1}:{pair.Item2}").Value is [var port] && port.PublishedPort == pair.Item1 && port.TargetPort == pair.Item2));

    [Theory]
    [InlineData("a b  c", "a|b|c")]
    [InlineData("sh -c 'a  b'", "sh|-c|a  b")]
    [InlineData("x \"a \\\"q\\\"\" \\ y", "x|a \"q\"| y")]
    [InlineData("''", "")]
    [InlineData("a''b", "ab")]
    public void Commands_are_split_as_a_shell_quotes(string text, string words) =>
        Assert.Equal(words, string.Join('|', ShellWords.Split(text).Value));

    [Fact]
    public void Quoted_words_are_split_back_into_themselves() =>
        Check.QuickThrowOnFailure(Prop.ForAll(ArbMap.Default.ArbFor<NonNull<string>[]>(), words =>
        {
            var text = string.Join(' ', words.Select(w => "'" + w.Get.Replace("'", "'\\''", StringComparison.Ordinal) + "'"));
            return ShellWords.Split(text).Value.SequenceEqual(words.Select(w => w.Get));
        }));

    [Theory]
    [InlineData("imagee", "image")]
    [InlineData("enviroment", "environment")]
    [InlineData("prots", "ports")]
    [InlineData("frobnicate", null)]
    public void A_mistyped_key_finds_its_neighbour(string word, string? expected) =>
        Assert.Equal(expected, Spelling.Nearest(word, ["image", "environment", "ports", "command"]));
}
