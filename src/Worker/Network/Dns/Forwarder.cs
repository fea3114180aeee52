using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;

using Orchestrator.Worker.Network.Ports;

namespace Orchestrator.Worker.Network.Dns;

/// <summary>
/// Asks the outer resolvers, one after the other, from the host's namespace: there a resolver on the host's loopback is reachable too.
/// Queries and answers pass unchanged, EDNS included. Every query has a socket and so a random source port of its own.
/// </summary>
internal sealed class Forwarder(HostSockets host, TimeProvider time)
{
    private const int DnsPort = 53;
    private const int MaximumDatagram = 65535;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>The first useful answer; a failure that a resolver gave when no other did better; null when none answered.</summary>
    internal async Task<ReadOnlyMemory<byte>?> AskAsync(
        ImmutableArray<IPAddress> servers, ReadOnlyMemory<byte> request, DnsQuery query, SocketType transport, CancellationToken stop)
    {
        ReadOnlyMemory<byte>? failure = null;
        foreach (var server in servers)
        {
            using var patience = new CancellationTokenSource(Patience, time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stop);
            try
            {
                var answer = transport == SocketType.Stream
                    ? await AskStreamAsync(server, request, both.Token)
                    : await AskDatagramAsync(server, request, query, both.Token);
                if (!DnsCodec.Answers(answer.Span, request.Span, query))
                    continue;
                if (!DnsCodec.IsFailure(answer.Span))
                    return answer;
                failure ??= answer;
            }
            catch (Exception error) when (error is SocketException or EndOfStreamException
                || (error is OperationCanceledException && !stop.IsCancellationRequested))
            {
                // The next resolver may be well; with none left the asker gets a server failure.
            }
        }

        return failure;
    }

    private async Task<ReadOnlyMemory<byte>> AskDatagramAsync(IPAddress server, ReadOnlyMemory<byte> request, DnsQuery query, CancellationToken stop)
    {
        using var socket = await host.CreateAsync(server.AddressFamily, SocketType.Dgram);
        await socket.ConnectAsync(new IPEndPoint(server, DnsPort), stop);
        await socket.SendAsync(request, stop);
        var buffer = new byte[Math.Max(4096, query.EdnsSize ?? 0)];
        while (true)
        {
            var count = await socket.ReceiveAsync(buffer, stop);
            // A late or forged datagram is not the end of waiting.
            if (DnsCodec.Answers(buffer.AsSpan(0, count), request.Span, query))
                return buffer.AsMemory(0, count);
        }
    }

    private async Task<ReadOnlyMemory<byte>> AskStreamAsync(IPAddress server, ReadOnlyMemory<byte> request, CancellationToken stop)
    {
        using var socket = await host.CreateAsync(server.AddressFamily, SocketType.Stream);
        await socket.ConnectAsync(new IPEndPoint(server, DnsPort), stop);
        await using var stream = new NetworkStream(socket);
        var framed = new byte[request.Length + 2];
        BinaryPrimitives.WriteUInt16BigEndian(framed, (ushort)request.Length);
        request.CopyTo(framed.AsMemory(2));
        await stream.WriteAsync(framed, stop);
        var length = new byte[2];
        await stream.ReadExactlyAsync(length, stop);
        var answer = new byte[Math.Min(MaximumDatagram, (int)BinaryPrimitives.ReadUInt16BigEndian(length))];
        await stream.ReadExactlyAsync(answer, stop);
        return answer;
    }
}
