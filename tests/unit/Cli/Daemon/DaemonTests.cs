using System.Net;
using System.Net.Sockets;
using Orchestrator.Cli.Daemon;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Unit.Cli.Daemon;

public sealed class DaemonTests
{
    [Fact]
    public void Options_are_judged_all_at_once()
    {
        var problems = new DaemonOptions
        {
            DataRoot = "relative",
            Hosts = ["tcp://0.0.0.0:2375", "/run/x.sock", "unix:///" + new string('x', 120)],
            LogLevel = "loud",
            CgroupParent = "orch/../..",
            DefaultAddressPools = ["10.0.0.0/8", "base=10.0.0.0/8,size=99"],
            Labels = ["no-value"],
            Journal = "mysql://h/db",
        }.Check();
        Assert.Equal(
            ["--cgroup-parent", "--data-root", "--default-addr-pool", "--host", "--host", "--host", "--journal", "--label", "--log-level"],
            problems.Select(p => p.Where).Order(StringComparer.Ordinal));
        Assert.Contains(problems, p => p.Message.Contains("is refused without --tlsverify", StringComparison.Ordinal));
    }

    [Fact]
    public void Options_left_out_are_fine_and_name_the_usual_socket()
    {
        Assert.Empty(new DaemonOptions().Check());
        Assert.Equal(["/run/orch/orch.sock"], new DaemonOptions().SocketPaths);
    }

    private static SwarmInitPlan Plan(SwarmInitRequest request) => SwarmInitPlan.Make(
        request, "cluster", new NodeId("node"), new NodeDescription { Hostname = "h" },
        [("eth0", IPAddress.Parse("192.0.2.7"))], [], member: 7, DateTimeOffset.UnixEpoch);

    [Theory]
    [InlineData(null, "192.0.2.7")]
    [InlineData("198.51.100.3", "198.51.100.3")]
    [InlineData("198.51.100.3:2377", "198.51.100.3")]
    [InlineData("eth0", "192.0.2.7")]
    [InlineData("eth0:2377", "192.0.2.7")]
    public void The_advertised_address_may_be_an_address_or_an_interface(string? asked, string address)
    {
        var plan = Plan(new SwarmInitRequest { AdvertiseAddr = asked, ListenAddr = "0.0.0.0:2377" });
        Assert.Equal(address, plan.Endpoints.Address);
        Assert.Equal($"{address}:2377", plan.FirstNode.ManagerStatus!.Addr);
        Assert.Equal(NodeRole.Manager, plan.FirstNode.Spec.Role);
    }

    [Fact]
    public void An_init_with_every_mistake_gets_every_problem()
    {
        var refused = Assert.Throws<ApiException>(() => Plan(new SwarmInitRequest
        {
            AdvertiseAddr = "nowhere0", Availability = "asleep", DataPathPort = 80, DefaultAddrPool = ["ten"], SubnetSize = 3, ForceNewCluster = true, ListenAddr = "nowhere1:2377",
        }));
        Assert.Equal(
            ["AdvertiseAddr", "Availability", "DataPathPort", "DefaultAddrPool", "ForceNewCluster", "ListenAddr", "SubnetSize"],
            refused.Problems.Select(p => p.Where).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_sockets_group_is_docker_then_orch()
    {
        Assert.Equal(998u, ApiSocket.GroupId("root:x:0:\norch:x:997:\ndocker:x:998:me\n"));
        Assert.Equal(997u, ApiSocket.GroupId("root:x:0:\norch:x:997:\n"));
        Assert.Null(ApiSocket.GroupId("root:x:0:\n"));
    }

    [Fact]
    public async Task A_stale_socket_makes_way_and_a_live_one_does_not()
    {
        var path = Path.Combine(Path.GetTempPath(), $"orch-{Guid.NewGuid():N}.sock");
        try
        {
            using (var live = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
            {
                live.Bind(new UnixDomainSocketEndPoint(path));
                live.Listen();
                var refused = await Assert.ThrowsAsync<DaemonException>(() => ApiSocket.ClearAsync(path, CancellationToken.None));
                Assert.Contains("another daemon answers on", refused.Message, StringComparison.Ordinal);
            }

            await ApiSocket.ClearAsync(path, CancellationToken.None);
            Assert.False(File.Exists(path));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void A_data_root_belongs_to_one_daemon()
    {
        var root = Directory.CreateTempSubdirectory("orch-lock").FullName;
        try
        {
            using (DaemonLock.Take(root, root))
            {
                var refused = Assert.Throws<DaemonException>(() => DaemonLock.Take(root, root));
                Assert.Contains($"pid {Environment.ProcessId}", refused.Message, StringComparison.Ordinal);
            }

            DaemonLock.Take(root, root).Dispose();
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }
}
