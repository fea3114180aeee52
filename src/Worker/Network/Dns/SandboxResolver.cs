using System.Buffers.Binary;
using System.Net.Sockets;

using Microsoft.Extensions.Logging;

namespace Orchestrator.Worker.Network.Dns;

/// <summary>One container's resolver: a datagram and a stream socket in its namespace, the names of its networks, the outer resolvers for the rest.</summary>
internal sealed class SandboxResolver : IAsyncDisposable
{
    private const int MaximumQuery = 4096;
    private const int MaximumAnswer = 65535;
    private const int MaximumUnderWay = 256;
    private static readonly TimeSpan StreamPatience = TimeSpan.FromSeconds(10);

    private readonly Socket datagrams;
    private readonly Socket streams;
    private readonly Func<NameIndex> names;
    private readonly ResolvConf host;
    private readonly Forwarder forwarder;
    private readonly TimeProvider time;
    private readonly ILogger log;
    private readonly CancellationTokenSource stop = new();
    private readonly Task running;
    private uint turn;

    internal SandboxResolver(
        DnsListen listen, int port, Socket datagrams, Socket streams, Func<NameIndex> names, ResolvConf host, Forwarder forwarder, TimeProvider time, ILogger log)
    {
        (Listen, Port, this.datagrams, this.streams) = (listen, port, datagrams, streams);
        (this.names, this.host, this.forwarder, this.time, this.log) = (names, host, forwarder, time, log);
        running = Task.WhenAll(AnswerDatagramsAsync(), AcceptStreamsAsync());
    }

    internal DnsListen Listen { get; }

    internal int Port { get; }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        datagrams.Dispose();
        streams.Dispose();
        await running;
        stop.Dispose();
    }

    /// <summary>Answers from the table; null when the question is for others.</summary>
    internal int? AnswerLocally(ReadOnlySpan<byte> request, in DnsQuery query, int limit, Span<byte> answer)
    {
        if (query.Class != DnsCodec.ClassInternet)
            return null;
        var index = names();
        if (index.Find(Listen.Networks, query.Name) is { } addresses)
        {
            return query.Type is DnsCodec.TypeA or DnsCodec.TypeAny
                ? DnsCodec.WriteAddresses(request, query, NameIndex.Rotate(addresses, Interlocked.Increment(ref turn)), limit, answer)
                : DnsCodec.WriteEmpty(request, query, DnsResult.Ok, answer);
        }

        return query.Type == DnsCodec.TypePtr && index.FindReverse(Listen.Networks, query.Name) is { } name
            ? DnsCodec.WritePointer(request, query, name, answer)
            : null;
    }

    private async Task AnswerDatagramsAsync()
    {
        var buffer = new byte[MaximumQuery];
        var answer = new byte[MaximumQuery];
        var address = new System.Net.SocketAddress(AddressFamily.InterNetwork);
        var underWay = new List<Task>();
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var count = await datagrams.ReceiveFromAsync(buffer, SocketFlags.None, address, stop.Token);
                if (Answer(buffer.AsSpan(0, count), answer) is { } length)
                {
                    if (length > 0)
                        await datagrams.SendToAsync(answer.AsMemory(0, length), SocketFlags.None, address, stop.Token);
                    continue;
                }

                underWay.RemoveAll(task => task.IsCompleted);
                if (underWay.Count < MaximumUnderWay)
                    underWay.Add(ForwardDatagramAsync(buffer.AsSpan(0, count).ToArray(), Copy(address)));
            }
            catch (Exception error) when (error is OperationCanceledException or ObjectDisposedException)
            {
                break;
            }
            catch (SocketException error) when (!stop.IsCancellationRequested)
            {
                log.ResolverStopped(Listen.SandboxId, error.Message);
            }
        }

        await Task.WhenAll(underWay);
    }

    /// <summary>The length of the answer, 0 for none, null when others must be asked.</summary>
    private int? Answer(ReadOnlySpan<byte> request, Span<byte> answer)
    {
        if (!DnsCodec.TryReadQuery(request, out var query, out var problem))
            return problem is { } result ? DnsCodec.WriteProblem(request, result, answer) : 0;
        var limit = Math.Min(query.EdnsSize ?? DnsCodec.PlainDatagram, answer.Length);
        return AnswerLocally(request, query, limit, answer);
    }

    private async Task ForwardDatagramAsync(byte[] request, System.Net.SocketAddress asker)
    {
        try
        {
            var answer = await ForwardAsync(request, SocketType.Dgram);
            await datagrams.SendToAsync(answer, SocketFlags.None, asker, stop.Token);
        }
        catch (Exception error) when (error is OperationCanceledException or ObjectDisposedException)
        {
            // The container has gone.
        }
        catch (SocketException error)
        {
            log.ResolverStopped(Listen.SandboxId, error.Message);
        }
    }

    private async Task<ReadOnlyMemory<byte>> ForwardAsync(byte[] request, SocketType transport)
    {
        DnsCodec.TryReadQuery(request, out var query, out _);
        var servers = !Listen.Forward ? [] : Listen.Upstreams.IsEmpty ? host.Servers : Listen.Upstreams;
        if (await forwarder.AskAsync(servers, request, query, transport, stop.Token) is { } answer)
            return answer;
        var failure = new byte[DnsCodec.HeaderLength + request.Length];
        return failure.AsMemory(0, DnsCodec.WriteEmpty(request, query, DnsResult.ServerFailure, failure));
    }

    private async Task AcceptStreamsAsync()
    {
        var underWay = new List<Task>();
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var client = await streams.AcceptAsync(stop.Token);
                underWay.RemoveAll(task => task.IsCompleted);
                if (underWay.Count < MaximumUnderWay)
                    underWay.Add(AnswerStreamAsync(client));
                else
                    client.Dispose();
            }
            catch (Exception error) when (error is OperationCanceledException or ObjectDisposedException)
            {
                break;
            }
            catch (SocketException error) when (!stop.IsCancellationRequested)
            {
                log.ResolverStopped(Listen.SandboxId, error.Message);
            }
        }

        await Task.WhenAll(underWay);
    }

    // RFC 1035 section 4.2.2: two bytes of length before each message.
    private async Task AnswerStreamAsync(Socket client)
    {
        await using var stream = new NetworkStream(client, ownsSocket: true);
        var length = new byte[2];
        var answer = new byte[MaximumAnswer + 2];
        try
        {
            while (true)
            {
                using var patience = new CancellationTokenSource(StreamPatience, time);
                using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stop.Token);
                await stream.ReadExactlyAsync(length, both.Token);
                var request = new byte[BinaryPrimitives.ReadUInt16BigEndian(length)];
                await stream.ReadExactlyAsync(request, both.Token);
                var count = AnswerStream(request, answer.AsSpan(2));
                if (count is null)
                {
                    var forwarded = await ForwardAsync(request, SocketType.Stream);
                    forwarded.CopyTo(answer.AsMemory(2));
                    count = forwarded.Length;
                }

                if (count == 0)
                    return;
                BinaryPrimitives.WriteUInt16BigEndian(answer, (ushort)count.Value);
                await stream.WriteAsync(answer.AsMemory(0, count.Value + 2), both.Token);
            }
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or ObjectDisposedException)
        {
            // The asker has what it wanted, or went, or said nothing for too long.
        }
    }

    private int? AnswerStream(ReadOnlySpan<byte> request, Span<byte> answer)
    {
        if (!DnsCodec.TryReadQuery(request, out var query, out var problem))
            return problem is { } result ? DnsCodec.WriteProblem(request, result, answer) : 0;
        return AnswerLocally(request, query, MaximumAnswer, answer);
    }

    private static System.Net.SocketAddress Copy(System.Net.SocketAddress address)
    {
        var copy = new System.Net.SocketAddress(address.Family, address.Size);
        address.Buffer.Span[..address.Size].CopyTo(copy.Buffer.Span);
        return copy;
    }
}
