using System.Net;

using Orchestrator.Worker.Network;

namespace Orchestrator.Tests.Integration.Network;

public sealed class BridgeTests
{
    [Fact]
    public async Task A_container_reaches_its_gateway_its_neighbour_and_the_outside()
    {
        await using var world = await NetworkWorld.CreateAsync();
        await world.NetworkAsync("web", "10.77.0.0/24", "10.77.0.1");
        var a = await world.ContainerAsync("a", "web");
        var b = await world.ContainerAsync("b", "web");
        await using var outside = await Server.StartAsync(world.OutsideNs, 80, "outside");
        await using var neighbour = await Server.StartAsync(b.NetnsPath, 80, "b");

        NetworkWorld.In(a.NetnsPath, "busybox", "ping", "-c1", "-W2", "10.77.0.1");
        Assert.Equal($"b {a.Endpoints[0].Address}", await Wire.FetchAsync(a.NetnsPath, b.Endpoints[0].Address.ToString(), 80));
        // The outside has no route to 10.77.0.0/24: only a rewritten source address can be answered.
        Assert.Equal("outside 198.51.100.1", await Wire.FetchAsync(a.NetnsPath, "198.51.100.2", 80));
    }

    [Fact]
    public async Task An_internal_network_has_no_way_out_and_networks_are_apart()
    {
        await using var world = await NetworkWorld.CreateAsync();
        await world.NetworkAsync("inner", "10.77.0.0/24", "10.77.0.1", isInternal: true);
        await world.NetworkAsync("other", "10.78.0.0/24", "10.78.0.1");
        var a = await world.ContainerAsync("a", "inner");
        var b = await world.ContainerAsync("b", "other");
        await using var server = await Server.StartAsync(a.NetnsPath, 80, "a");

        var error = await Assert.ThrowsAnyAsync<Exception>(() => Wire.FetchAsync(a.NetnsPath, "198.51.100.2", 80));
        Assert.Contains("unreachable", error.Message, StringComparison.OrdinalIgnoreCase);
        Assert.ThrowsAny<Exception>(() => NetworkWorld.In(b.NetnsPath, "busybox", "ping", "-c1", "-W1", a.Endpoints[0].Address.ToString()));
    }

    [Fact]
    public async Task A_subnet_that_overlaps_the_hosts_route_is_refused_naming_both()
    {
        await using var world = await NetworkWorld.CreateAsync();
        var error = await Assert.ThrowsAsync<NetworkException>(() => world.NetworkAsync("web", "198.51.0.0/16", "198.51.0.1"));
        Assert.Equal("network web: subnet 198.51.0.0/16 overlaps the host's route 198.51.100.0/24 on up0", error.Message);
    }

    [Fact]
    public async Task Addresses_given_are_kept_and_taken_ones_are_refused()
    {
        await using var world = await NetworkWorld.CreateAsync();
        await world.NetworkAsync("web", "10.77.0.0/24", "10.77.0.1");
        var request = new SandboxRequest
        {
            Id = "first", Hostname = "first", Endpoints = [new EndpointRequest { NetworkId = "web", Address = IPAddress.Parse("10.77.0.40") }],
        };
        var sandbox = await world.Networks.AttachAsync(request, default);
        Assert.Equal("10.77.0.40", sandbox.Endpoints[0].Address.ToString());

        var error = await Assert.ThrowsAsync<NetworkException>(() => world.Networks.AttachAsync(request with { Id = "second", Hostname = "second" }, default));
        Assert.Equal("address 10.77.0.40 of network web is in use by container first (first)", error.Message);
        await world.Networks.DetachAsync("first", default);
        await world.Networks.DetachAsync("first", default);
        await world.Networks.AttachAsync(request with { Id = "second", Hostname = "second" }, default);
    }

    [Fact]
    public async Task A_network_in_use_is_not_removed_and_one_without_subnet_gets_one()
    {
        await using var world = await NetworkWorld.CreateAsync();
        var network = await world.Networks.EnsureNetworkAsync(new HostNetwork { Id = "n1", Name = "web" }, default);
        Assert.Equal("172.20.0.0/16", network.Subnets[0].Prefix.ToString());
        await world.ContainerAsync("a", "n1");
        var error = await Assert.ThrowsAsync<NetworkException>(() => world.Networks.RemoveNetworkAsync("n1", default));
        Assert.Equal("network web has 1 attached endpoint(s): a", error.Message);
        await world.Networks.DetachAsync("a", default);
        await world.Networks.RemoveNetworkAsync("n1", default);
        Assert.Empty(await world.Networks.ListNetworksAsync(default));
    }

    [Fact]
    public async Task Thirty_containers_attach_at_once_with_distinct_addresses()
    {
        await using var world = await NetworkWorld.CreateAsync();
        await world.NetworkAsync("web", "10.77.0.0/24", "10.77.0.1");
        var sandboxes = await Task.WhenAll(Enumerable.Range(0, 30).Select(i => world.ContainerAsync($"c{i}", "web")));
        Assert.Equal(30, sandboxes.Select(sandbox => sandbox.Endpoints[0].Address).Distinct().Count());
        foreach (var sandbox in sandboxes.Take(3))
            NetworkWorld.In(sandbox.NetnsPath, "busybox", "ping", "-c1", "-W2", "10.77.0.1");
    }

    [Fact]
    public async Task Dockers_dropping_forward_chain_lets_our_bridges_through_and_is_left_as_found()
    {
        await using var world = await NetworkWorld.CreateAsync();
        NetworkWorld.In(world.HostNs, "sh", "-c", "iptables-nft -P FORWARD DROP; iptables-nft -N DOCKER-USER; iptables-nft -I FORWARD -j DOCKER-USER");
        var before = NetworkWorld.In(world.HostNs, "iptables-nft", "-S");
        await world.NetworkAsync("web", "10.77.0.0/24", "10.77.0.1");
        await world.NetworkAsync("more", "10.78.0.0/24", "10.78.0.1");
        var a = await world.ContainerAsync("a", "web", new PortRequest(PortProtocol.Tcp, null, 8080, 80));
        await using var outside = await Server.StartAsync(world.OutsideNs, 80, "outside");
        await using var server = await Server.StartAsync(a.NetnsPath, 80, "a");

        Assert.StartsWith("outside ", await Wire.FetchAsync(a.NetnsPath, "198.51.100.2", 80));
        Assert.StartsWith("a ", await Wire.FetchAsync(world.OutsideNs, "198.51.100.1", 8080));
        // Added once, and in words that iptables understands.
        Assert.Equal(2, NetworkWorld.In(world.HostNs, "iptables-nft", "-S", "DOCKER-USER").Split('\n').Count(line => line.Contains("-j ACCEPT", StringComparison.Ordinal)));
        await world.Networks.RemoveAllAsync(default);
        Assert.Equal(before, NetworkWorld.In(world.HostNs, "iptables-nft", "-S"));
    }

    [Fact]
    public async Task A_failed_attach_leaves_nothing_behind()
    {
        await using var world = await NetworkWorld.CreateAsync();
        await world.NetworkAsync("web", "10.77.0.0/30", "10.77.0.1");
        await using var taken = await Server.StartAsync(world.HostNs, 8080, "other");
        var links = Links();
        await Assert.ThrowsAsync<NetworkException>(() => world.ContainerAsync("a", "web", new PortRequest(PortProtocol.Tcp, null, 8080, 80)));
        Assert.Empty(await world.Networks.ListSandboxesAsync(default));
        Assert.Empty(Directory.EnumerateFiles(Path.Combine(world.Root, "run", "netns")));
        Assert.Equal(links, Links());
        // The range has one address: it must be free again.
        await world.ContainerAsync("b", "web");
        var error = await Assert.ThrowsAsync<NetworkException>(() => world.ContainerAsync("c", "web"));
        Assert.Equal("network web has no free address left in 10.77.0.0/30", error.Message);

        // Without their flags: the kernel notices a bridge's missing carrier aside.
        string[] Links() => [.. NetworkWorld.In(world.HostNs, "ip", "-o", "link").Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split(' ')[1])];
    }
}
