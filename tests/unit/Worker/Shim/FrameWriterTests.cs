using System.Net.Sockets;
using System.Threading.Channels;
using Orchestrator.Worker.Shim;

namespace Orchestrator.Tests.Unit.Worker.Shim;

public sealed class FrameWriterTests
{
    private const int Senders = 6;
    private const int Each = 30;

    [Fact]
    public async Task Frames_of_many_senders_arrive_whole_and_each_senders_in_order_when_the_other_end_is_slow()
    {
        var stop = TestContext.Current.CancellationToken;
        var (near, far) = Pair();
        await using var to = new ShimStream(near);
        await using var from = new ShimStream(far);
        var writer = new FrameWriter();
        var running = writer.RunAsync(to, stop);
        var sending = Enumerable.Range(1, Senders).Select(sender => Task.Run(
            async () =>
            {
                for (var n = 0; n < Each; n++)
                {
                    // From a few bytes to more than a socket takes at once.
                    var payload = new byte[n % 5 == 4 ? 400_000 : 10 + n];
                    payload.AsSpan().Fill((byte)sender);
                    payload[0] = (byte)n;
                    await writer.SendAsync(ShimFrame.Encode(FrameKind.Item, (uint)sender, payload), stop);
                }
            },
            stop)).ToList();
        var next = new int[Senders + 1];
        foreach (var (_, id, message) in ShimFrame.ReadAll(from))
        {
            Assert.Equal(next[id], message.Payload.Span[0]);
            Assert.False(message.Payload.Span[1..].ContainsAnyExcept((byte)id));
            if (++next[id] == Each && next.Sum() == Senders * Each)
                break;
        }
        await Task.WhenAll(sending);
        writer.Complete();
        await running;
    }

    [Fact]
    public async Task What_is_sent_before_there_is_a_connection_goes_when_it_is_there()
    {
        var stop = TestContext.Current.CancellationToken;
        var (near, far) = Pair();
        await using var to = new ShimStream(near);
        await using var from = new ShimStream(far);
        var writer = new FrameWriter();
        await writer.SendAsync(ShimFrame.Encode(FrameKind.Item, 1, [1]), stop);
        var running = writer.RunAsync(to, stop);
        await writer.SendAsync(ShimFrame.Encode(FrameKind.Item, 2, [2]), stop);
        writer.Complete();
        await running;
        await to.DisposeAsync();
        var ids = new List<uint>();
        foreach (var (_, id, _) in ShimFrame.ReadAll(from))
            ids.Add(id);
        Assert.Equal([1u, 2u], ids);
    }

    [Fact]
    public async Task After_the_end_of_the_connection_sending_fails()
    {
        var stop = TestContext.Current.CancellationToken;
        var (near, far) = Pair();
        await using var to = new ShimStream(near);
        var writer = new FrameWriter();
        var running = writer.RunAsync(to, stop);
        far.Dispose();
        // The first may still be taken for sent.
        await Assert.ThrowsAsync<ChannelClosedException>(async () =>
        {
            while (true)
                await writer.SendAsync(ShimFrame.Encode(FrameKind.Item, 1, [1]), stop);
        });
        await running;
    }

    private static (Socket Near, Socket Far) Pair()
    {
        var path = Path.Combine(Path.GetTempPath(), $"orch-frames-{Guid.NewGuid():N}.sock");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        var near = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        near.Connect(new UnixDomainSocketEndPoint(path));
        var far = listener.Accept();
        File.Delete(path);
        return (near, far);
    }
}
