using System.Threading.Channels;
using Orchestrator.Shared.Rpc;

namespace Orchestrator.Tests.Integration.Rpc;

public sealed class RpcTests
{
    private static readonly TimeSpan Generous = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_unary_call_brings_its_message_and_metadata_there_and_back()
    {
        await using var host = await RpcHost.StartAsync(EchoService.Server());
        using var channel = new RpcChannel(host.Client);
        var answer = await channel.CallAsync(EchoService.Unary, new("Grüße", 41), new() { Metadata = RpcMetadata.Empty.With("user", "eve") });
        Assert.Equal(new Note("Grüße", 42), answer);
    }

    [Fact]
    public async Task A_refusal_arrives_with_status_detail_and_trailers()
    {
        await using var host = await RpcHost.StartAsync(EchoService.Server());
        using var channel = new RpcChannel(host.Client);
        var refusal = await Assert.ThrowsAsync<RpcException>(() => channel.CallAsync(EchoService.Unary, new("refuse", 0)));
        Assert.Equal((RpcStatus.NotFound, "kein Dienst «web» — 100%"), (refusal.Status, refusal.Detail));
        Assert.Equal([0, 1, 255], refusal.Trailers.Binary("detail-bin")!);
        var bug = await Assert.ThrowsAsync<RpcException>(() => channel.CallAsync(EchoService.Unary, new("break", 0)));
        Assert.Equal(RpcStatus.Internal, bug.Status);
    }

    [Fact]
    public async Task A_server_stream_yields_every_message_and_then_its_status()
    {
        await using var host = await RpcHost.StartAsync(EchoService.Server());
        using var channel = new RpcChannel(host.Client);
        List<int> got = [];
        var refusal = await Assert.ThrowsAsync<RpcException>(async () =>
        {
            await foreach (var note in channel.ServerStreamAsync(EchoService.Count, new("refuse", 500)))
                got.Add(note.Count);
        });
        Assert.Equal(Enumerable.Range(1, 500), got);
        Assert.Equal(RpcStatus.Aborted, refusal.Status);
    }

    [Fact]
    public async Task Client_and_duplex_streams_flow_both_ways_at_once()
    {
        await using var host = await RpcHost.StartAsync(EchoService.Server());
        using var channel = new RpcChannel(host.Client);
        var notes = Enumerable.Range(1, 100).Select(i => new Note("n", i)).ToAsyncEnumerable();
        Assert.Equal(5050, (await channel.ClientStreamAsync(EchoService.Sum, notes)).Count);

        var said = Channel.CreateUnbounded<Note>();
        await said.Writer.WriteAsync(new("first", 1));
        List<int> heard = [];
        await foreach (var note in channel.DuplexAsync(EchoService.Talk, said.Reader.ReadAllAsync()))
        {
            heard.Add(note.Count); // each answer comes before the next question is asked
            await said.Writer.WriteAsync(new(note.Count < 8 ? "more" : "last", note.Count));
        }

        Assert.Equal([2, 4, 8, 16], heard);
    }

    [Fact]
    public async Task A_deadline_ends_the_call_on_both_sides()
    {
        var cancelled = new TaskCompletionSource();
        await using var host = await RpcHost.StartAsync(EchoService.Server(() => cancelled.TrySetResult()));
        using var channel = new RpcChannel(host.Client);
        var late = await Assert.ThrowsAsync<RpcException>(
            () => channel.CallAsync(EchoService.Unary, new("wait", 0), new() { Timeout = TimeSpan.FromMilliseconds(50) }));
        Assert.Equal(RpcStatus.DeadlineExceeded, late.Status);
        await cancelled.Task.WaitAsync(Generous);
    }

    [Fact]
    public async Task A_callers_cancellation_reaches_the_handler_and_is_no_failure()
    {
        var cancelled = new TaskCompletionSource();
        await using var host = await RpcHost.StartAsync(EchoService.Server(() => cancelled.TrySetResult()));
        using var channel = new RpcChannel(host.Client);
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => channel.CallAsync(EchoService.Unary, new("wait", 0), stop: stop.Token));
        await cancelled.Task.WaitAsync(Generous);
    }

    [Fact]
    public async Task A_message_beyond_the_limit_is_refused_and_the_channel_goes_on()
    {
        await using var host = await RpcHost.StartAsync(EchoService.Server());
        using var channel = new RpcChannel(host.Client);
        var big = await channel.CallAsync(EchoService.Unary, new(new string('x', 7 << 20), 1));
        Assert.Equal(7 << 20, big.Text.Length);
        var tooBig = await Assert.ThrowsAsync<RpcException>(() => channel.CallAsync(EchoService.Unary, new(new string('x', 9 << 20), 1)));
        Assert.Equal(RpcStatus.ResourceExhausted, tooBig.Status);
        Assert.Equal(2, (await channel.CallAsync(EchoService.Unary, new("ok", 1))).Count);
    }

    [Fact]
    public async Task Nobody_there_is_unavailable_and_an_unknown_method_unimplemented()
    {
        await using var host = await RpcHost.StartAsync(EchoService.Server());
        using var channel = new RpcChannel(host.Client);
        var unknown = await Assert.ThrowsAsync<RpcException>(() => channel.CallAsync(EchoService.Unary with { Name = "Nothing" }, new("a", 1)));
        Assert.Equal(RpcStatus.Unimplemented, unknown.Status);
        var path = Path.Combine(Path.GetTempPath(), $"nobody-{Guid.NewGuid():n}.sock");
        using var nobody = new RpcChannel(new() { Connect = RpcConnects.Unix(path) });
        var gone = await Assert.ThrowsAsync<RpcException>(() => nobody.CallAsync(EchoService.Unary, new("a", 1)));
        Assert.Equal(RpcStatus.Unavailable, gone.Status);
    }
}
