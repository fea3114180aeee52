using Orchestrator.Shared.Model;
using Orchestrator.Worker.Containers.Plan;
using Orchestrator.Worker.Network;

namespace Orchestrator.Tests.Unit.Worker.Containers.Plan;

public sealed class RequestCheckTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("size=64m,mode=1777,uid=5,gid=6,noexec,nr_inodes=1k", "")]
    [InlineData("size=50%,ro,exec", "")]
    [InlineData("bogus", "invalid tmpfs option 'bogus'")]
    [InlineData("size=lots", "invalid tmpfs option 'size=lots'")]
    [InlineData("mode=999", "invalid tmpfs option 'mode=999'")]
    [InlineData("uid=root", "invalid tmpfs option 'uid=root'")]
    public void A_tmpfs_option_that_the_kernel_would_refuse_is_refused_with_the_request(string options, string problem)
    {
        var problems = new List<Problem>();
        var plan = MountPlan.Of(new HostConfig { Tmpfs = new Dictionary<string, string> { ["/x"] = options } }, problems);
        Assert.Equal(problem, problems.Count == 0 ? "" : problems.Single().Message.Split(':')[0]);
        Assert.Equal(problem.Length == 0, plan.Mounts.Any(m => m.Destination == "/x"));
    }

    [Fact]
    public void A_name_server_that_is_no_address_and_a_label_without_a_name_are_refused_with_the_request()
    {
        var problems = new List<Problem>();
        RequestCheck.Check(
            new ContainerConfig { Cmd = ["sh"], Labels = new Dictionary<string, string> { [""] = "x" } }, new HostConfig { Dns = ["1.1.1.1", "resolver", "2001:db8::1"] },
            FakeHost.Facts, problems);
        Assert.Equal(
            ["HostConfig.Dns: invalid DNS server 'resolver': it must be an IP address", "Labels: invalid label: its name is empty"],
            problems.Select(p => p.ToString()));
    }

    [Theory]
    [InlineData("8000-8002", 8000, 8002, 0)]
    [InlineData("8000", 8000, 0, 0)]
    [InlineData("", 0, 0, 0)]
    [InlineData("8002-8000", 0, 0, 1)]
    [InlineData("0-10", 0, 0, 1)]
    [InlineData("8000-70000", 0, 0, 1)]
    [InlineData("-5", 0, 0, 1)]
    public void A_host_port_may_be_a_range(string text, int first, int last, int wrong)
    {
        var problems = new List<Problem>();
        var host = new HostConfig { PortBindings = new Dictionary<string, IReadOnlyList<PortBinding>> { ["80/tcp"] = [new PortBinding { HostPort = text }] } };
        var plan = EndpointPlan.Of(host, null, "web", "abcdefabcdef", [new HostNetwork { Id = "b", Name = "bridge" }], problems);
        Assert.Equal(wrong, problems.Count);
        Assert.Equal(wrong == 0 ? [(first, last)] : [], plan.Ports.Select(p => (p.HostPort, p.LastHostPort)));
    }

    [Theory]
    [InlineData("host")]
    [InlineData("none")]
    public void Ports_that_a_network_mode_cannot_publish_are_warned_of(string mode)
    {
        var problems = new List<Problem>();
        var host = new HostConfig { NetworkMode = mode, PortBindings = new Dictionary<string, IReadOnlyList<PortBinding>> { ["80/tcp"] = [new PortBinding()] } };
        Assert.Equal([$"Published ports are discarded when using {mode} network mode"], EndpointPlan.Of(host, null, "web", "x", [], problems).Warnings);
        Assert.Empty(EndpointPlan.Of(host with { PortBindings = new Dictionary<string, IReadOnlyList<PortBinding>>() }, null, "web", "x", [], problems).Warnings);
        Assert.Empty(problems);
    }
}
