using System.Net.Sockets;
using System.Text;

using Orchestrator.Worker.Network;

namespace Orchestrator.Tests.Integration.Network;

public sealed class PublishedPortTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_service_port_answers_from_everywhere(int bridgeCallsNetfilter)
    {
        await using var world = await NetworkWorld.CreateAsync(bridgeCallsNetfilter);
        await world.NetworkAsync("web", "10.77.0.0/24", "10.77.0.1");
        await world.NetworkAsync("other", "10.78.0.0/24", "10.78.0.1");
        var backend = await world.ContainerAsync("a", "web");
        var sibling = await world.ContainerAsync("b", "web");
        var stranger = await world.ContainerAsync("c", "other");
        await using var server = await Server.StartAsync(backend.NetnsPath, 80, "a");
        Assert.Empty((await world.PublishAsync(1, 8080, 80, backend)).Conflicts);

        Assert.Equal("a 198.51.100.2", await Wire.FetchAsync(world.OutsideNs, "198.51.100.1", 8080));
        Assert.StartsWith("a ", await Wire.FetchAsync(world.HostNs, "198.51.100.1", 8080));
        Assert.StartsWith("a ", await Wire.FetchAsync(world.HostNs, "127.0.0.1", 8080));
        Assert.StartsWith("a ", await Wire.FetchAsync(world.HostNs, "::1", 8080));
        Assert.StartsWith("a ", await Wire.FetchAsync(world.HostNs, "10.77.0.1", 8080));
        Assert.StartsWith("a ", await Wire.FetchAsync(sibling.NetnsPath, "198.51.100.1", 8080));
        Assert.StartsWith("a ", await Wire.FetchAsync(sibling.NetnsPath, "10.77.0.1", 8080));
        Assert.StartsWith("a ", await Wire.FetchAsync(stranger.NetnsPath, "198.51.100.1", 8080));
        Assert.StartsWith("a ", await Wire.FetchAsync(backend.NetnsPath, "198.51.100.1", 8080));
    }

    [Fact]
    public async Task The_hosts_loopback_stays_closed_to_the_outside_and_to_containers()
    {
        await using var world = await NetworkWorld.CreateAsync();
        await world.NetworkAsync("web", "10.77.0.0/24", "10.77.0.1");
        var container = await world.ContainerAsync("a", "web");
        await using var secret = await Server.StartAsync(world.HostNs, 9000, "secret", address: "127.0.0.1");
        // The attacker routes 127.0.0.0/8 to the host instead of to itself.
        foreach (var (ns, via) in new[] { (container.NetnsPath, "10.77.0.1"), (world.OutsideNs, "198.51.100.1") })
        {
            var device = ns == world.OutsideNs ? "up0" : "eth0";
            NetworkWorld.In(ns, "sh", "-c", $"echo 1 > /proc/sys/net/ipv4/conf/{device}/route_localnet");
            NetworkWorld.In(ns, "ip", "route", "add", "127.0.0.9", "via", via, "dev", device, "table", "77");
            NetworkWorld.In(ns, "ip", "rule", "add", "to", "127.0.0.9", "table", "77", "pref", "1");
            NetworkWorld.In(ns, "sh", "-c", "ip rule del pref 0; ip rule add pref 5 lookup local");
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ShortFetchAsync(ns));
        }

        static async Task<string> ShortFetchAsync(string ns)
        {
            using var sockets = new Orchestrator.Worker.Network.Ports.HostSockets(ns);
            using var socket = await sockets.CreateAsync(AddressFamily.InterNetwork, SocketType.Stream);
            using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(1));
            await socket.ConnectAsync(new System.Net.IPEndPoint(System.Net.IPAddress.Parse("127.0.0.9"), 9000), deadline.Token);
            return await Wire.ReadToEndAsync(socket, deadline.Token);
        }
    }

    [Fact]
    public async Task Three_backends_take_turns()
    {
        await using var world = await NetworkWorld.CreateAsync();
        await world.NetworkAsync("web", "10.77.0.0/24", "10.77.0.1");
        var backends = new List<Sandbox>();
        var servers = new List<Server>();
        foreach (var name in (string[])["a", "b", "c"])
        {
            backends.Add(await world.ContainerAsync(name, "web"));
            servers.Add(await Server.StartAsync(backends[^1].NetnsPath, 80, name));
        }

        await world.PublishAsync(1, 8080, 80, [.. backends]);
        var answers = new List<string>();
        for (var i = 0; i < 30; i++)
            answers.Add((await Wire.FetchAsync(world.OutsideNs, "198.51.100.1", 8080))[..1]);
        Assert.Equal(["a:10", "b:10", "c:10"], answers.GroupBy(name => name).OrderBy(group => group.Key).Select(group => $"{group.Key}:{group.Count()}"));
        foreach (var server in servers)
            await server.DisposeAsync();
    }

    [Fact]
    public async Task Backends_change_under_load_without_a_failed_request_and_established_connections_live()
    {
        await using var world = await NetworkWorld.CreateAsync();
        await world.NetworkAsync("web", "10.77.0.0/24", "10.77.0.1");
        var a = await world.ContainerAsync("a", "web");
        var b = await world.ContainerAsync("b", "web");
        await using var serverA = await Server.StartAsync(a.NetnsPath, 80, "a");
        await using var serverB = await Server.StartAsync(b.NetnsPath, 80, "b");
        await world.PublishAsync(1, 8080, 80, a);

        using var sockets = new Orchestrator.Worker.Network.Ports.HostSockets(world.OutsideNs);
        using var established = await sockets.CreateAsync(AddressFamily.InterNetwork, SocketType.Stream);
        await established.ConnectAsync(NetworkWorld.HostAddress, 8080);
        using var stop = new CancellationTokenSource();
        var requests = Task.Run(async () =>
        {
            var count = 0;
            while (!stop.IsCancellationRequested)
            {
                await Wire.FetchAsync(world.OutsideNs, "198.51.100.1", 8080);
                count++;
            }

            return count;
        });
        for (ulong version = 2; version < 600; version++)
            await world.PublishAsync(version, 8080, 80, (version % 3) switch { 0 => [a], 1 => [b], _ => [a, b] });
        await world.PublishAsync(1000, 8080, 80, b);
        await stop.CancelAsync();
        Assert.True(await requests > 0);

        for (var i = 0; i < 5; i++)
            Assert.StartsWith("b ", await Wire.FetchAsync(world.OutsideNs, "198.51.100.1", 8080));
        await established.SendAsync(Encoding.UTF8.GetBytes("hello\n"));
        Assert.StartsWith("a ", await Wire.ReadToEndAsync(established, new CancellationTokenSource(Wire.Deadline).Token));
    }

    [Fact]
    public async Task Without_a_backend_connections_are_refused_at_once()
    {
        await using var world = await NetworkWorld.CreateAsync();
        await world.NetworkAsync("web", "10.77.0.0/24", "10.77.0.1");
        var a = await world.ContainerAsync("a", "web");
        await world.PublishAsync(1, 8080, 80);
        foreach (var (ns, address) in new[] { (world.OutsideNs, "198.51.100.1"), (world.HostNs, "127.0.0.1"), (a.NetnsPath, "198.51.100.1") })
        {
            var error = await Assert.ThrowsAsync<SocketException>(() => Wire.FetchAsync(ns, address, 8080));
            Assert.Equal(SocketError.ConnectionRefused, error.SocketErrorCode);
        }

        await using var server = await Server.StartAsync(a.NetnsPath, 80, "a");
        await world.PublishAsync(2, 8080, 80, a);
        Assert.StartsWith("a ", await Wire.FetchAsync(world.OutsideNs, "198.51.100.1", 8080));
        await world.PublishAsync(3, 8080, 80);
        await Assert.ThrowsAsync<SocketException>(() => Wire.FetchAsync(world.OutsideNs, "198.51.100.1", 8080));
    }

    [Theory]
    [InlineData("198.51.100.1", false)]
    [InlineData("127.0.0.1", true)]
    [InlineData("::1", true)]
    public async Task Udp_is_published_too(string address, bool fromHost)
    {
        await using var world = await NetworkWorld.CreateAsync();
        await world.NetworkAsync("web", "10.77.0.0/24", "10.77.0.1");
        var a = await world.ContainerAsync("a", "web");
        await using var server = await Server.StartAsync(a.NetnsPath, 53, "udp-a", PortProtocol.Udp);
        await world.Networks.ApplyServicesAsync(NetworkWorld.Table(1, 5353, 53, PortProtocol.Udp, a), default);
        var answer = await Wire.AskAsync(fromHost ? world.HostNs : world.OutsideNs, address, 5353, "hi"u8.ToArray());
        Assert.Equal("udp-a", Encoding.UTF8.GetString(answer));
    }

    [Fact]
    public async Task A_containers_own_port_is_published_on_one_address_or_a_chosen_port()
    {
        await using var world = await NetworkWorld.CreateAsync();
        await world.NetworkAsync("web", "10.77.0.0/24", "10.77.0.1");
        var a = await world.ContainerAsync(
            "a", "web", new PortRequest(PortProtocol.Tcp, NetworkWorld.HostAddress, 8080, 80), new PortRequest(PortProtocol.Tcp, null, 0, 80));
        await using var server = await Server.StartAsync(a.NetnsPath, 80, "a");
        Assert.StartsWith("a ", await Wire.FetchAsync(world.OutsideNs, "198.51.100.1", 8080));
        Assert.StartsWith("a ", await Wire.FetchAsync(world.HostNs, "127.0.0.1", a.Ports[1].HostPort));
        await Assert.ThrowsAsync<SocketException>(() => Wire.FetchAsync(world.HostNs, "127.0.0.1", 8080));
        await world.Networks.DetachAsync("a", default);
        await Assert.ThrowsAsync<SocketException>(() => Wire.FetchAsync(world.OutsideNs, "198.51.100.1", 8080));
    }

    [Fact]
    public async Task A_taken_port_is_explained()
    {
        await using var world = await NetworkWorld.CreateAsync();
        await using var neighbour = await world.NeighbourAsync();
        await world.NetworkAsync("web", "10.77.0.0/24", "10.77.0.1");
        await neighbour.NetworkAsync("web", "10.78.0.0/24", "10.78.0.1");
        await using var process = await Server.StartAsync(world.HostNs, 9000, "other");
        var a = await world.ContainerAsync("a", "web", new PortRequest(PortProtocol.Tcp, null, 8080, 80));

        var mine = $"{Path.GetFileName(Environment.ProcessPath)![..15]} (pid {Environment.ProcessId})";
        var result = await world.PublishAsync(1, 9000, 80, a);
        Assert.Equal($"port 9000/tcp is already in use by {mine}", result.Conflicts.Single().Reason);
        result = await neighbour.PublishAsync(1, 8080, 80, a);
        Assert.Equal($"port 8080/tcp is already in use by {mine}", result.Conflicts.Single().Reason);
        result = await world.PublishAsync(2, 8080, 80, a);
        Assert.Equal("port 8080/tcp is already published by container a (a); service web is not published there", result.Conflicts.Single().Reason);
        var error = await Assert.ThrowsAsync<NetworkException>(() => world.ContainerAsync("b", "web", new PortRequest(PortProtocol.Tcp, null, 9000, 80)));
        Assert.Equal($"port 9000/tcp is already in use by {mine}", error.Message);
        var inUse = await world.Networks.FindPortsInUseAsync([new(PortProtocol.Tcp, null, 9000, 80), new(PortProtocol.Tcp, null, 9001, 80)], default);
        Assert.Equal(9000, Assert.Single(inUse).Port);
    }

    [Fact]
    public async Task A_udp_flow_that_never_pauses_leaves_a_removed_backend()
    {
        await using var world = await NetworkWorld.CreateAsync();
        await world.NetworkAsync("web", "10.77.0.0/24", "10.77.0.1");
        var a = await world.ContainerAsync("a", "web");
        var b = await world.ContainerAsync("b", "web");
        await using var serverA = await Server.StartAsync(a.NetnsPath, 53, "udp-a", PortProtocol.Udp);
        await using var serverB = await Server.StartAsync(b.NetnsPath, 53, "udp-b", PortProtocol.Udp);
        using var sockets = new Orchestrator.Worker.Network.Ports.HostSockets(world.OutsideNs);
        using var client = await sockets.CreateAsync(AddressFamily.InterNetwork, SocketType.Dgram);
        await client.ConnectAsync(NetworkWorld.HostAddress, 5353);
        var answers = new List<string>();
        for (ulong version = 1; version <= 3; version++)
        {
            await world.Networks.ApplyServicesAsync(NetworkWorld.Table(version, 5353, 53, PortProtocol.Udp, version == 2 ? b : a), default);
            using var deadline = new CancellationTokenSource(Wire.Deadline);
            await client.SendAsync("hi"u8.ToArray(), deadline.Token);
            var buffer = new byte[100];
            answers.Add(Encoding.UTF8.GetString(buffer, 0, await client.ReceiveAsync(buffer, deadline.Token)));
        }

        Assert.Equal(["udp-a", "udp-b", "udp-a"], answers);
    }
}
