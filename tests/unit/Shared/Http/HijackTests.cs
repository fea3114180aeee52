using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Unit.Shared.Http;

/// <summary>The HTTP server over real sockets, with a call that takes its connection and echoes in capitals until the client has said all.</summary>
public sealed class HijackTests : IAsyncLifetime
{
    private static readonly CancellationToken None = CancellationToken.None;
    private readonly string path = Path.Combine(Path.GetTempPath(), $"orch-hijack-{Guid.NewGuid():N}.sock");
    private readonly TaskCompletionSource cut = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private HttpHost host = null!;

    public async ValueTask InitializeAsync()
    {
        var router = new ApiRouter("test", TimeProvider.System, NullLogger<ApiRouter>.Instance);
        router.Map("GET", "/plain", r => r.ReplyAsync(new ErrorReply { Message = "plain" }));
        router.Map("POST", "/refused", _ => throw new ApiException(409, "not now"));
        router.Map("POST", "/taken", TakenAsync);
        router.Map("POST", "/raw", RawAsync);
        host = await HttpHost.StartAsync(
            server => server.ListenUnixSocket(path, endpoint =>
            {
                endpoint.Protocols = HttpProtocols.Http1;
                endpoint.UseHijack();
            }),
            router.DispatchAsync, NullLoggerFactory.Instance, None);
    }

    public async ValueTask DisposeAsync()
    {
        await host.DisposeAsync();
        File.Delete(path);
    }

    private async Task TakenAsync(ApiRequest request)
    {
        if (request.Http.Request.ContentLength > 0)
            await request.BodyAsync<ExecStartRequest>();
        var client = await request.HijackAsync(LogFraming.Multiplexed);
        try
        {
            while (true)
            {
                var read = await client.Input.ReadAsync(client.Stopping);
                foreach (var piece in read.Buffer)
                    await client.Output.WriteAsync(Encoding.ASCII.GetBytes(Encoding.ASCII.GetString(piece.Span).ToUpperInvariant()), None);
                client.Input.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted)
                    break;
            }

            await client.Output.WriteAsync("<end>"u8.ToArray(), None);
        }
        catch (OperationCanceledException)
        {
            cut.SetResult();
        }
    }

    /// <summary>Takes the connection with the body still in it, as who passes it on does, and answers much at once.</summary>
    private static async Task RawAsync(ApiRequest request)
    {
        var client = request.Http.Features.GetRequiredFeature<IHijackFeature>().Take();
        var read = await client.Input.ReadAtLeastAsync(4, None);
        var body = Encoding.ASCII.GetString(read.Buffer);
        client.Input.AdvanceTo(read.Buffer.End);
        await client.Output.WriteAsync(new byte[2_000_000], None);
        await client.Output.WriteAsync(Encoding.ASCII.GetBytes($"<{body}>"), None);
    }

    [Fact]
    public async Task A_body_that_was_left_to_who_takes_the_connection_does_not_cut_the_answer_off()
    {
        using var socket = await DialAsync();
        await SayAsync(socket, "POST /raw HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody");
        await Task.Delay(TimeSpan.FromMilliseconds(300), TimeProvider.System, None); // the answer waits in pipes by now
        Assert.EndsWith("<body>", await HearAsync(socket, "<body>"), StringComparison.Ordinal);
    }

    private async Task<Socket> DialAsync()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), None);
        return socket;
    }

    private static Task SayAsync(Socket socket, string text) => socket.SendAsync(Encoding.ASCII.GetBytes(text), None).AsTask();

    private static async Task<string> HearAsync(Socket socket, string until)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20), TimeProvider.System);
        var heard = "";
        var buffer = new byte[4096];
        while (!heard.Contains(until, StringComparison.Ordinal))
        {
            var count = await socket.ReceiveAsync(buffer, limit.Token);
            if (count == 0)
                break;
            heard += Encoding.ASCII.GetString(buffer, 0, count);
        }

        return heard;
    }

    private static string Post(string to, string body, bool upgrade) =>
        $"POST {to} HTTP/1.1\r\nHost: x\r\n{(upgrade ? "Connection: Upgrade\r\nUpgrade: tcp\r\n" : "")}Content-Length: {body.Length}\r\n\r\n{body}";

    [Theory]
    [InlineData("{}")]
    [InlineData("")]
    public async Task The_end_of_the_clients_input_leaves_the_answer_to_come(string body)
    {
        using var socket = await DialAsync();
        await SayAsync(socket, Post("/taken", body, upgrade: true));
        var head = await HearAsync(socket, "\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n", head, StringComparison.Ordinal);
        await SayAsync(socket, "hello");
        Assert.Equal("HELLO", await HearAsync(socket, "HELLO"));
        await SayAsync(socket, " world");
        socket.Shutdown(SocketShutdown.Send);
        Assert.Equal(" WORLD<end>", await HearAsync(socket, "never"));
    }

    [Fact]
    public async Task Calls_before_it_on_the_connection_and_refusals_are_answered_as_ever()
    {
        using var socket = await DialAsync();
        await SayAsync(socket, "GET /plain HTTP/1.1\r\nHost: x\r\n\r\n");
        Assert.Contains("200 OK", await HearAsync(socket, "\"plain\"}"), StringComparison.Ordinal);
        await SayAsync(socket, Post("/v1.50/refused", "{}", upgrade: true));
        Assert.Contains("409 Conflict", await HearAsync(socket, "not now"), StringComparison.Ordinal);
        await SayAsync(socket, Post("/taken", """{"Tty":""", upgrade: true));
        Assert.Contains("400 Bad Request", await HearAsync(socket, "not JSON"), StringComparison.Ordinal);
        await SayAsync(socket, Post("/v1.41/taken", "{}", upgrade: true) + "sent along");
        var head = await HearAsync(socket, "SENT ALONG");
        Assert.Contains("Content-Type: application/vnd.docker.raw-stream\r\n", head, StringComparison.Ordinal);
        Assert.EndsWith("\r\n\r\nSENT ALONG", head, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_asks_for_no_upgrade_gets_200_and_the_bytes()
    {
        using var socket = await DialAsync();
        await SayAsync(socket, Post("/taken", "{}", upgrade: false) + "abc");
        var answer = await HearAsync(socket, "ABC");
        Assert.StartsWith("HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n", answer, StringComparison.Ordinal);
        socket.Shutdown(SocketShutdown.Send);
        Assert.Equal("<end>", await HearAsync(socket, "never"));
    }

    [Fact]
    public async Task A_server_that_stops_tells_who_took_a_connection()
    {
        using var socket = await DialAsync();
        await SayAsync(socket, Post("/taken", "{}", upgrade: true));
        await HearAsync(socket, "\r\n\r\n");
        socket.Shutdown(SocketShutdown.Send); // from here on only the server's own word can end it early
        await HearAsync(socket, "<end>");
        using var waiting = await DialAsync();
        await SayAsync(waiting, Post("/taken", "{}", upgrade: true));
        await HearAsync(waiting, "\r\n\r\n");
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20), TimeProvider.System);
        await host.StopAsync(patience.Token);
        await cut.Task.WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System, None);
        Assert.False(patience.IsCancellationRequested);
    }
}
