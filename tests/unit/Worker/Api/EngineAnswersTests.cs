using Orchestrator.Shared.Model;
using Orchestrator.Tests.Unit.Shared.Http;
using Orchestrator.Worker.Api;
using Orchestrator.Worker.Containers;
using Orchestrator.Worker.Images;
using HostFacts = Orchestrator.Worker.Api.HostFacts;

namespace Orchestrator.Tests.Unit.Worker.Api;

public sealed class EngineAnswersTests
{
    [Fact]
    public void Host_facts_are_read_from_the_machines_files()
    {
        Assert.Equal("Debian GNU/Linux 12 (bookworm)", HostFacts.OsRelease("PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\n# NAME=x\n")["PRETTY_NAME"]);
        Assert.Equal(24_682_496L * 1024, HostFacts.MemoryTotal("MemTotal:       24682496 kB\nMemFree: 1 kB\n"));
    }

    [Theory]
    [InlineData("hello", "hello:latest", true)]
    [InlineData("hello:latest", "hello:latest", true)]
    [InlineData("hel*", "hello:latest", true)]
    [InlineData("*:lat*", "hello:latest", true)]
    [InlineData("*", "team/hello:latest", false)]
    [InlineData("*/hello", "team/hello:latest", true)]
    [InlineData("hell?", "hello:1", true)]
    [InlineData("hell", "hello:1", false)]
    public void Image_references_match_shell_patterns(string pattern, string tag, bool matches) =>
        Assert.Equal(matches, ImageFilter.Matches(pattern, tag));

    [Theory]
    [InlineData("linux", true)]
    [InlineData("linux/riscv64", false)]
    [InlineData("windows/amd64", false)]
    public void Platforms_are_told_apart(string platform, bool ours) => Assert.Equal(ours, ImageAnswers.IsThisPlatform(platform));

    [Fact]
    public void Faults_of_the_rooms_get_their_status()
    {
        Assert.Equal(404, EngineApi.Translate(new ContainerNotFoundException("x"))!.Status);
        Assert.Equal(409, EngineApi.Translate(new ContainerConflictException("x"))!.Status);
        Assert.Equal(400, EngineApi.Translate(new ContainerStartException("x", 127))!.Status);
        Assert.Equal(500, EngineApi.Translate(new ContainerStartException("x", 128))!.Status);
        Assert.Equal(404, EngineApi.Translate(ImageException.NotFound("x"))!.Status);
        Assert.Equal(400, EngineApi.Translate(ImageException.Bad("x"))!.Status);
        Assert.Null(EngineApi.Translate(new InvalidOperationException()));
    }

    [Fact]
    public void A_local_network_with_every_mistake_gets_every_problem()
    {
        var problems = new List<Problem>();
        HostNetworkRequest.Plan("id", new NetworkCreateRequest
        {
            Name = "lan",
            Driver = "macvlan",
            EnableIpv6 = true,
            Options = new Dictionary<string, string> { ["com.docker.network.driver.mtu"] = "fast", ["parent"] = "eth0" },
            Ipam = new Ipam { Config = [new IpamConfig { Subnet = "10.1.0.0/16", Gateway = "10.2.0.1", IpRange = "10.1.1.0/24" }] },
        }, problems);
        Assert.Equal(
            ["Driver", "EnableIPv6", "IPAM.Config[0].Gateway", "IPAM.Config[0].IPRange", "Options.com.docker.network.driver.mtu", "Options.parent"],
            problems.Select(p => p.Where).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_subnet_without_gateway_takes_its_first_address()
    {
        var problems = new List<Problem>();
        var network = HostNetworkRequest.Plan("id", new NetworkCreateRequest { Name = "lan", Ipam = new Ipam { Config = [new IpamConfig { Subnet = "10.1.2.0/24" }] } }, problems);
        Assert.Empty(problems);
        Assert.Equal("10.1.2.1", Assert.Single(network.Subnets).Gateway.ToString());
    }

    [Fact]
    public async Task A_build_that_asks_for_too_much_is_refused_with_everything()
    {
        var router = ApiCall.Router();
        router.Map("POST", "/build", r =>
        {
            BuildApi.Read(r);
            return r.ReplyAsync(200);
        });
        var refused = await ApiCall.SendAsync(router, "POST", "/build?t=x&remote=https://a&pull=1&version=2&memory=5&buildargs=[]");
        Assert.Equal(400, refused.Status);
        Assert.Equal(["buildargs", "memory", "pull", "remote", "version"], refused.Json.GetProperty("Problems").EnumerateArray().Select(p => p.GetProperty("Where").GetString()!).Order(StringComparer.Ordinal));
        const string Stock = "/build?buildargs=%7B%22A%22%3A%221%22%7D&cachefrom=null&cgroupparent=&cpuperiod=0&cpuquota=0&cpusetcpus=&cpusetmems=&cpushares=0&dockerfile=Dockerfile&labels=%7B%7D&memory=0&memswap=0&networkmode=default&rm=1&shmsize=0&t=x&target=&ulimits=null&version=1";
        Assert.Equal(200, (await ApiCall.SendAsync(router, "POST", Stock)).Status);
    }
}
