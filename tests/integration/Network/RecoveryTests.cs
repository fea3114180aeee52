using Orchestrator.Worker.Network;

namespace Orchestrator.Tests.Integration.Network;

public sealed class RecoveryTests
{
    [Fact]
    public async Task After_a_crash_the_living_are_adopted_and_no_request_fails_meanwhile()
    {
        await using var world = await NetworkWorld.CreateAsync();
        await world.NetworkAsync("web", "10.77.0.0/24", "10.77.0.1");
        var a = await world.ContainerAsync("a", "web", new PortRequest(PortProtocol.Tcp, null, 8081, 80));
        await world.ContainerAsync("dead", "web");
        await using var server = await Server.StartAsync(a.NetnsPath, 80, "a");
        await world.PublishAsync(7, 8080, 80, a);
        using var stop = new CancellationTokenSource();
        var requests = Task.Run(async () =>
        {
            var count = 0;
            for (; !stop.IsCancellationRequested; count++)
            {
                await Wire.FetchAsync(world.OutsideNs, "198.51.100.1", 8080);
                await Wire.FetchAsync(world.OutsideNs, "198.51.100.1", 8081);
            }

            return count;
        });

        await world.CrashAsync();
        var report = await world.Networks.RecoverAsync(new HashSet<string> { "a" }, default);
        await world.CrashAsync();
        await world.Networks.RecoverAsync(new HashSet<string> { "a" }, default);
        await stop.CancelAsync();
        Assert.True(await requests > 0);

        Assert.Empty(report.Failed);
        Assert.Contains("sandbox a", report.Adopted);
        Assert.Contains("sandbox dead", report.Removed);
        var sandboxes = await world.Networks.ListSandboxesAsync(default);
        Assert.Equal(["a"], sandboxes.Keys);
        Assert.Equal(a.Endpoints[0], sandboxes["a"].Endpoints[0]);
        Assert.Equal("web", Assert.Single(await world.Networks.ListNetworksAsync(default)).Name);
        // The address of the living is not given again; an older table is not news.
        var next = await world.ContainerAsync("next", "web");
        Assert.NotEqual(a.Endpoints[0].Address, next.Endpoints[0].Address);
        Assert.Equal(7ul, (await world.PublishAsync(6, 8080, 80)).Version);
        Assert.StartsWith("a ", await Wire.FetchAsync(world.OutsideNs, "198.51.100.1", 8080));
    }

    [Fact]
    public async Task What_is_broken_in_the_kernel_is_made_again()
    {
        await using var world = await NetworkWorld.CreateAsync();
        await world.NetworkAsync("web", "10.77.0.0/24", "10.77.0.1");
        var a = await world.ContainerAsync("a", "web");
        await using var server = await Server.StartAsync(a.NetnsPath, 80, "a");
        await world.PublishAsync(1, 8080, 80, a);
        NetworkWorld.In(world.HostNs, "nft", "flush", "ruleset");
        await world.CrashAsync();
        await world.Networks.RecoverAsync(new HashSet<string> { "a" }, default);
        Assert.StartsWith("a ", await Wire.FetchAsync(world.OutsideNs, "198.51.100.1", 8080));
    }

    [Fact]
    public async Task Removing_all_leaves_nothing()
    {
        await using var world = await NetworkWorld.CreateAsync();
        var before = Look(world);
        await using (var neighbour = await world.NeighbourAsync())
        {
            await world.NetworkAsync("web", "10.77.0.0/24", "10.77.0.1");
            await neighbour.NetworkAsync("web", "10.78.0.0/24", "10.78.0.1");
            await world.ContainerAsync("a", "web", new PortRequest(PortProtocol.Tcp, null, 8080, 80));
            await neighbour.ContainerAsync("a", "web", new PortRequest(PortProtocol.Tcp, null, 8081, 80));
            var report = await world.Networks.RemoveAllAsync(default);
            Assert.Empty(report.Failed);
            // The neighbour's is untouched.
            Assert.Contains($"orch-{neighbour.Id}", NetworkWorld.In(world.HostNs, "nft", "list", "ruleset"), StringComparison.Ordinal);
            Assert.DoesNotContain($"orch-{world.Id}", NetworkWorld.In(world.HostNs, "nft", "list", "ruleset"), StringComparison.Ordinal);
        }

        Assert.Equal(before, Look(world));
    }

    [Fact]
    public async Task Removing_all_needs_no_recovery_before()
    {
        await using var world = await NetworkWorld.CreateAsync();
        var before = Look(world);
        await world.NetworkAsync("web", "10.77.0.0/24", "10.77.0.1");
        await world.ContainerAsync("a", "web", new PortRequest(PortProtocol.Tcp, null, 8080, 80));
        await world.CrashAsync();
        Assert.Empty((await world.Networks.RemoveAllAsync(default)).Failed);
        Assert.Equal(before, Look(world));
    }

    private static string Look(NetworkWorld world)
        => NetworkWorld.In(world.HostNs, "sh", "-c", "ip -o link | cut -d: -f2; ip -o addr | cut -d' ' -f2-7; ip route; nft list ruleset; ss -ltnuH; cat /proc/sys/net/ipv4/ip_forward")
            + string.Join('\n', File.ReadLines("/proc/self/mountinfo").Where(line => line.Contains(world.Root, StringComparison.Ordinal)));
}
