using Orchestrator.Shared.Model;
using Orchestrator.Shared.Model.Validation;

namespace Orchestrator.Tests.Unit.Shared.Model;

public sealed class SwarmValidationTests
{
    [Fact]
    public void The_defaults_are_fine() => Assert.Empty(SwarmValidation.Check(new Swarm { Id = "x" }));

    [Theory]
    [InlineData("10.0.0.0/8", 30u, "subnet size 30 is outside of 8 to 29")]
    [InlineData("10.0.0.1/8", 24u, "address pool '10.0.0.1/8' is not an IPv4 network such as 10.0.0.0/8")]
    [InlineData("10.0.0.0/26", 24u, "address pool 10.0.0.0/26 is smaller than one subnet of /24")]
    public void An_impossible_pool_is_named(string pool, uint size, string message) =>
        Assert.Equal(message, Assert.Single(SwarmValidation.Check(new Swarm { Id = "x", DefaultAddrPool = [pool], SubnetSize = size })).Message);

    [Fact]
    public void Overlapping_pools_are_named() => Assert.Equal(
        "address pools 10.0.0.0/8 and 10.1.0.0/16 overlap",
        Assert.Single(SwarmValidation.Check(new Swarm { Id = "x", DefaultAddrPool = ["10.0.0.0/8", "10.1.0.0/16"] })).Message);
}
