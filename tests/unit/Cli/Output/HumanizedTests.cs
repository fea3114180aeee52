using Orchestrator.Cli.Output;

namespace Orchestrator.Tests.Unit.Cli.Output;

public sealed class HumanizedTests
{
    [Theory]
    [InlineData(0, "Less than a second")]
    [InlineData(1, "1 second")]
    [InlineData(59, "59 seconds")]
    [InlineData(60, "About a minute")]
    [InlineData(119, "About a minute")]
    [InlineData(180, "3 minutes")]
    [InlineData(3600, "About an hour")]
    [InlineData(2 * 3600, "2 hours")]
    [InlineData(47 * 3600, "47 hours")]
    [InlineData(3 * 86400, "3 days")]
    [InlineData(15 * 86400, "2 weeks")]
    [InlineData(70 * 86400, "2 months")]
    [InlineData(800 * 86400, "2 years")]
    public void Durations_are_dockers(long seconds, string words) => Assert.Equal(words, Humanized.Duration(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData(0, "0B")]
    [InlineData(999, "999B")]
    [InlineData(1000, "1kB")]
    [InlineData(12_345_678, "12.3MB")]
    [InlineData(4_261_502, "4.26MB")]
    [InlineData(1_500_000_000, "1.5GB")]
    public void Sizes_are_dockers(long bytes, string words) => Assert.Equal(words, Humanized.Size(bytes));

    [Theory]
    [InlineData(8_348_200_960, "7.775GiB")]
    [InlineData(1024, "1KiB")]
    public void Memory_is_counted_in_1024s(long bytes, string words) => Assert.Equal(words, Humanized.BinarySize(bytes));
}
