using FsCheck;
using FsCheck.Fluent;
using Orchestrator.Shared.Rpc;

namespace Orchestrator.Tests.Unit.Shared.Rpc;

public sealed class RpcHeaderTextTests
{
    [Theory]
    [InlineData(1, "1u")]
    [InlineData(10_000, "1000u")]
    [InlineData(10_000L * 1000 * 60, "60000000u")]
    [InlineData(10_000L * 1000 * 100, "100000m")]
    [InlineData(10_000L * 1000 * 3600 * 24 * 365, "31536000S")]
    public void A_timeout_takes_the_finest_unit_that_fits_eight_digits(long ticks, string text) =>
        Assert.Equal(text, RpcHeaderText.FormatTimeout(TimeSpan.FromTicks(ticks)));

    [Fact]
    public void A_timeout_never_shrinks_on_the_wire() => Prop.ForAll(
        ArbMap.Default.ArbFor<PositiveInt>(), ArbMap.Default.ArbFor<PositiveInt>(), (a, b) =>
        {
            var timeout = TimeSpan.FromTicks((long)a.Get * b.Get);
            return RpcHeaderText.ParseTimeout(RpcHeaderText.FormatTimeout(timeout)) >= timeout;
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("5")]
    [InlineData("m")]
    [InlineData("-1m")]
    [InlineData("123456789m")]
    [InlineData("1x")]
    public void What_is_no_timeout_is_ignored(string? text) => Assert.Null(RpcHeaderText.ParseTimeout(text));

    [Fact]
    public void Details_come_back_whatever_they_hold()
    {
        foreach (var text in new[] { "", "plain", "100% «ü» \n \u0001 漢字 🚀", "%41" })
        {
            var encoded = RpcHeaderText.EncodeDetail(text);
            Assert.DoesNotContain(encoded, c => c is < ' ' or > '~');
            Assert.Equal(text, RpcHeaderText.DecodeDetail(encoded));
        }

        Assert.Equal("50% of %zz", RpcHeaderText.DecodeDetail("50% of %zz"));
    }

    [Fact]
    public void Metadata_refuses_what_would_break_the_protocol()
    {
        Assert.Throws<ArgumentException>(() => RpcMetadata.Empty.With("Upper", "x"));
        Assert.Throws<ArgumentException>(() => RpcMetadata.Empty.With("grpc-status", "0"));
        Assert.Throws<ArgumentException>(() => RpcMetadata.Empty.With("name", "line\nbreak"));
        Assert.Throws<ArgumentException>(() => RpcMetadata.Empty.With("name-bin", "text"));
        Assert.Equal([255, 0], RpcMetadata.Empty.With("k-bin", [255, 0]).Binary("k-bin")!);
    }
}
