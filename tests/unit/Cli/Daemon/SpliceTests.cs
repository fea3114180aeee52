using System.IO.Pipelines;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using Orchestrator.Cli.Daemon.Reach;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Security;
using Orchestrator.Tests.Unit.Shared.Security;

namespace Orchestrator.Tests.Unit.Cli.Daemon;

public sealed class SpliceTests
{
    private readonly Pipe _in = new();
    private readonly Pipe _out = new();

    private HijackedConnection Client => new(_in.Reader, _out.Writer, CancellationToken.None);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_comes_after_the_clients_end_arrives_whole(bool behind)
    {
        for (var round = 0; round < 20; round++)
        {
            var test = new SpliceTests();
            await test.EchoAsync(RandomNumberGenerator.GetBytes(3_000_001), behind);
        }
    }

    private async Task EchoAsync(byte[] bytes, bool behind)
    {
        var (manager, node) = await ConnectAsync();
        await using var _ = manager;
        await using var __ = node;
        var echo = EchoAsync(node, behind);
        var both = new Splice(Client, manager, ClientEnd.EndsInput);
        var splice = both.RunAsync(TestContext.Current.CancellationToken);
        var sent = SendAsync();
        using var got = new MemoryStream();
        var reading = _out.Reader.CopyToAsync(got, TestContext.Current.CancellationToken);
        Assert.True(await splice);
        await _out.Writer.CompleteAsync();
        await reading;
        await sent;
        Assert.Null(both.Broke);
        await echo;
        Assert.Equal(bytes.Length, got.Length);
        Assert.Equal(SHA256.HashData(bytes), SHA256.HashData(got.ToArray()));

        async Task SendAsync()
        {
            await _in.Writer.WriteAsync(bytes);
            await _in.Writer.CompleteAsync();
        }
    }

    private static async Task EchoAsync(SslStream node, bool behind)
    {
        var buffer = new byte[32 << 10];
        using var kept = new MemoryStream();
        while (await node.ReadAsync(buffer) is var count and > 0)
            await (behind ? kept : (Stream)node).WriteAsync(buffer.AsMemory(0, count));
        kept.Position = 0;
        await kept.CopyToAsync(node);
        await node.ShutdownAsync();
        node.Close();
    }

    private static async Task<(HalfCloseTlsStream Manager, SslStream Node)> ConnectAsync()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var accepting = listener.AcceptSocketAsync();
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(listener.LocalEndpoint);
        var manager = new SslStream(new NetworkStream(socket, ownsSocket: true));
        var node = new SslStream(new NetworkStream(await accepting, ownsSocket: true));
        var own = new TestCluster().Node("node", NodeRole.Worker);
        await Task.WhenAll(
            node.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificateContext = own.Tls, EnabledSslProtocols = SslProtocols.Tls13 }),
            manager.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "", EnabledSslProtocols = SslProtocols.Tls13, RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.Subject.Contains("CN=node", StringComparison.Ordinal) is true }));
        return (new(manager), node);
    }
}
