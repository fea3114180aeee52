using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Text;

using Orchestrator.Worker.Network;
using Orchestrator.Worker.Network.Dns;
using Orchestrator.Worker.Network.Ports;

namespace Orchestrator.Tests.Integration.Network;

public sealed class NamesTests
{
    private const string Resolver = "127.0.0.11";

    [Fact]
    public async Task Service_names_and_aliases_resolve_on_their_network_alone()
    {
        await using var world = await NetworkWorld.CreateAsync();
        await world.NetworkAsync("web", "10.77.0.0/24", "10.77.0.1");
        await world.NetworkAsync("other", "10.78.0.0/24", "10.78.0.1");
        var a = await world.ContainerAsync("a", "web");
        var b = await world.ContainerAsync("b", "web");
        var stranger = await world.ContainerAsync("c", "other");
        ImmutableArray<IPAddress> addresses = [a.Endpoints[0].Address, b.Endpoints[0].Address];
        await world.Networks.ApplyServicesAsync(new ServiceTable { Version = 1, Names = [new("web", "api", addresses), new("web", "tasks.api", addresses)] }, default);

        Assert.Equal(["10.77.0.2", "10.77.0.3"], (await AskAsync(a.NetnsPath, "API")).Order());
        Assert.Equal(["10.77.0.2", "10.77.0.3"], (await AskAsync(a.NetnsPath, "tasks.api")).Order());
        Assert.Equal(["10.77.0.3"], await AskAsync(a.NetnsPath, "b"));
        // Clients that take the first answer spread out.
        Assert.Equal(2, new[] { (await AskAsync(a.NetnsPath, "api"))[0], (await AskAsync(a.NetnsPath, "api"))[0] }.Distinct().Count());
        var foreign = await Wire.AskAsync(stranger.NetnsPath, Resolver, 53, Query("api", 1));
        Assert.Equal(2, foreign[3] & 0xf);
        // AAAA of a known name: no error, no records, so that the asker does not give up the name.
        var six = await Wire.AskAsync(a.NetnsPath, Resolver, 53, Query("api", 28));
        Assert.Equal((0, 0), (six[3] & 0xf, six[7]));
        var pointer = await Wire.AskAsync(a.NetnsPath, Resolver, 53, Query("3.0.77.10.in-addr.arpa", 12));
        Assert.Contains("\u0001b\0", Encoding.Latin1.GetString(pointer), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Other_names_go_to_the_hosts_resolver_even_on_its_loopback()
    {
        await using var world = await NetworkWorld.CreateAsync();
        await File.WriteAllTextAsync(world.ResolvConf, "nameserver 127.0.0.53\n");
        await world.NetworkAsync("web", "10.77.0.0/24", "10.77.0.1");
        await world.NetworkAsync("inner", "10.78.0.0/24", "10.78.0.1", isInternal: true);
        var a = await world.ContainerAsync("a", "web");
        var inner = await world.ContainerAsync("i", "inner");
        using var sockets = new HostSockets(world.HostNs);
        using var upstream = await sockets.BindAsync(PortProtocol.Udp, IPAddress.Parse("127.0.0.53"), 53);
        var answering = AnswerOnceAsync(upstream);

        Assert.Equal(["192.0.2.99"], await AskAsync(a.NetnsPath, "example.org"));
        await answering;
        // A network without a way out does not get one by questions.
        var refused = await Wire.AskAsync(inner.NetnsPath, Resolver, 53, Query("example.org", 1));
        Assert.Equal(2, refused[3] & 0xf);
    }

    [Fact]
    public async Task A_long_answer_is_cut_and_comes_whole_by_tcp()
    {
        await using var world = await NetworkWorld.CreateAsync();
        await world.NetworkAsync("web", "10.77.0.0/24", "10.77.0.1");
        var a = await world.ContainerAsync("a", "web");
        var many = Enumerable.Range(1, 100).Select(i => new IPAddress([10, 77, 1, (byte)i])).ToImmutableArray();
        await world.Networks.ApplyServicesAsync(new ServiceTable { Version = 1, Names = [new("web", "many", many)] }, default);

        var datagram = await Wire.AskAsync(a.NetnsPath, Resolver, 53, Query("many", 1));
        Assert.True(datagram.Length <= 512 && (datagram[2] & 2) != 0);
        using var sockets = new HostSockets(a.NetnsPath);
        using var socket = await sockets.CreateAsync(AddressFamily.InterNetwork, SocketType.Stream);
        using var deadline = new CancellationTokenSource(Wire.Deadline);
        await socket.ConnectAsync(IPAddress.Parse(Resolver), 53, deadline.Token);
        var question = Query("many", 1);
        await socket.SendAsync((byte[])[0, (byte)question.Length, .. question], deadline.Token);
        await using var stream = new NetworkStream(socket);
        var length = new byte[2];
        await stream.ReadExactlyAsync(length, deadline.Token);
        var answer = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
        await stream.ReadExactlyAsync(answer, deadline.Token);
        Assert.Equal(100, BinaryPrimitives.ReadUInt16BigEndian(answer.AsSpan(6)));
    }

    [Fact]
    public async Task A_new_shim_is_told_everything()
    {
        await using var world = await NetworkWorld.CreateAsync();
        await world.NetworkAsync("web", "10.77.0.0/24", "10.77.0.1");
        var a = await world.ContainerAsync("a", "web", new PortRequest(PortProtocol.Tcp, null, 8080, 80));
        await world.NewShimAsync();
        await world.Networks.ResyncAsync(default);
        Assert.Equal(["10.77.0.2"], await AskAsync(a.NetnsPath, "a"));
        using var sockets = new HostSockets(world.HostNs);
        await Assert.ThrowsAsync<SocketException>(() => sockets.BindAsync(PortProtocol.Tcp, IPAddress.Any, 8080));
    }

    [Fact]
    public async Task The_containers_own_port_53_stays_free()
    {
        await using var world = await NetworkWorld.CreateAsync();
        await world.NetworkAsync("web", "10.77.0.0/24", "10.77.0.1");
        var a = await world.ContainerAsync("a", "web");
        await using var own = await Server.StartAsync(a.NetnsPath, 53, "own", PortProtocol.Udp);
        Assert.Equal(["10.77.0.2"], await AskAsync(a.NetnsPath, "a"));
    }

    private static async Task<List<string>> AskAsync(string ns, string name)
    {
        var answer = await Wire.AskAsync(ns, Resolver, 53, Query(name, 1));
        Assert.Equal(0, answer[3] & 0xf);
        var count = BinaryPrimitives.ReadUInt16BigEndian(answer.AsSpan(6));
        var start = Query(name, 1).Length;
        return [.. Enumerable.Range(0, count).Select(i => new IPAddress(answer.AsSpan(start + (i * 16) + 12, 4)).ToString())];
    }

    private static byte[] Query(string name, ushort type) =>
    [
        0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0,
        .. name.Split('.').SelectMany(label => (byte[])[(byte)label.Length, .. Encoding.ASCII.GetBytes(label)]),
        0, (byte)(type >> 8), (byte)type, 0, 1,
    ];

    private static async Task AnswerOnceAsync(Socket upstream)
    {
        using var deadline = new CancellationTokenSource(Wire.Deadline);
        var buffer = new byte[512];
        var asked = await upstream.ReceiveFromAsync(buffer, new IPEndPoint(IPAddress.Any, 0), deadline.Token);
        Assert.True(DnsCodec.TryReadQuery(buffer.AsSpan(0, asked.ReceivedBytes), out var query, out _));
        var answer = new byte[512];
        var length = DnsCodec.WriteAddresses(buffer.AsSpan(0, asked.ReceivedBytes), query, [IPAddress.Parse("192.0.2.99")], 512, answer);
        await upstream.SendToAsync(answer.AsMemory(0, length), asked.RemoteEndPoint, deadline.Token);
    }
}
