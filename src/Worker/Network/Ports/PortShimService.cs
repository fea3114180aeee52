using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

using Microsoft.Extensions.Logging;

using Orchestrator.Worker.Network.State;
using Orchestrator.Worker.Shim;

namespace Orchestrator.Worker.Network.Ports;

/// <summary>
/// Holds published ports in the shim, so that they stay held while the daemon is away. A holder listens: other programs' binds fail, and
/// <c>ss -ltn</c> shows the operator who has the port (a socket that is only bound shows nowhere, and without SO_REUSEADDR it would itself fail on
/// connections of an earlier owner in TIME_WAIT). Nothing reaches a holder: the rules rewrite or refuse connections before; what does all the same, while
/// somebody has flushed the rules, is reset. On [::1] the holder relays to 127.0.0.1, because the kernel does not rewrite ::1.
/// </summary>
internal sealed class PortShimService(string? hostNetnsPath, ILogger<PortShimService> log) : IShimService, IAsyncDisposable
{
    private const int ChooseAttempts = 32;

    private readonly SemaphoreSlim turn = new(1, 1);
    private readonly HostSockets host = new(hostNetnsPath);
    private readonly Dictionary<string, Dictionary<HeldPort, PortHolder>> held = new(StringComparer.Ordinal);

    public string Name => PortShimClient.Service;

    public async Task HandleAsync(string operation, ReadOnlyMemory<byte> request, Func<ReadOnlyMemory<byte>, ValueTask> reply, CancellationToken stop)
    {
        await turn.WaitAsync(stop);
        try
        {
            switch (operation)
            {
                case "hold":
                    var answer = await HoldAsync(Read(request, NetworkJson.Default.PortHold));
                    await reply(JsonSerializer.SerializeToUtf8Bytes(answer, NetworkJson.Default.PortHeld));
                    break;
                case "release":
                    await ReleaseAsync(Read(request, NetworkJson.Default.PortRelease));
                    break;
                case "sync":
                    await SyncAsync(Read(request, NetworkJson.Default.PortSync));
                    break;
                default:
                    throw new ShimException($"ports: unknown operation '{operation}'");
            }
        }
        finally
        {
            turn.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var owner in held.Keys.ToList())
            await ReleaseAsync(new PortRelease(owner, null));
        host.Dispose();
        turn.Dispose();
    }

    private async Task<PortHeld> HoldAsync(PortHold hold)
    {
        var mine = held.TryGetValue(hold.Owner, out var existing) ? existing : held[hold.Owner] = [];
        var made = new List<HeldPort>();
        var got = ImmutableArray.CreateBuilder<HeldPort>();
        var taken = ImmutableArray.CreateBuilder<HeldPort>();
        foreach (var port in hold.Ports)
        {
            if (mine.ContainsKey(port))
            {
                got.Add(port);
                continue;
            }

            if (await OpenAsync(port) is var (chosen, holder))
            {
                mine.Add(chosen, holder);
                made.Add(chosen);
                got.Add(chosen);
            }
            else
            {
                taken.Add(port);
            }
        }

        if (taken.Count == 0)
            return new PortHeld(got.ToImmutable(), []);
        await ReleaseAsync(new PortRelease(hold.Owner, [.. made]));
        return new PortHeld([], taken.ToImmutable());
    }

    /// <summary>Null when somebody else has the port.</summary>
    private async Task<(HeldPort, PortHolder)?> OpenAsync(HeldPort port)
    {
        for (var attempt = 0; attempt < ChooseAttempts; attempt++)
        {
            Socket? main = null;
            try
            {
                main = await host.BindAsync(port.Protocol, port.HostIp ?? IPAddress.Any, port.Port);
                var chosen = port with { Port = ((IPEndPoint)main.LocalEndPoint!).Port };
                // Publishing on one address is not publishing on localhost.
                var onLoopback = port.HostIp is null && Socket.OSSupportsIPv6
                    ? await host.TryBindLoopback6Async(port.Protocol, chosen.Port)
                    : null;
                var upstream = onLoopback is null ? null : host;
                return (chosen, new PortHolder(port.Protocol, main, onLoopback, upstream, log));
            }
            catch (SocketException error) when (error.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AddressNotAvailable)
            {
                main?.Dispose();
                if (port.Port != 0)
                    return null;
            }
        }

        return null;
    }

    private async Task ReleaseAsync(PortRelease release)
    {
        if (!held.TryGetValue(release.Owner, out var mine))
            return;
        foreach (var port in release.Ports ?? [.. mine.Keys])
        {
            if (mine.Remove(port, out var holder))
                await holder.DisposeAsync();
        }

        if (mine.Count == 0)
            held.Remove(release.Owner);
    }

    private async Task SyncAsync(PortSync sync)
    {
        var wanted = sync.Holds.ToDictionary(hold => hold.Owner, hold => hold.Ports.ToHashSet(), StringComparer.Ordinal);
        foreach (var (owner, mine) in held.ToList())
        {
            var keep = wanted.GetValueOrDefault(owner, []);
            await ReleaseAsync(new PortRelease(owner, [.. mine.Keys.Where(port => !keep.Contains(port))]));
        }

        foreach (var hold in sync.Holds.Where(hold => !hold.Ports.IsEmpty))
        {
            // One at a time: one that is lost to another process must not cost the owner its others.
            foreach (var port in hold.Ports)
            {
                if ((await HoldAsync(new PortHold(hold.Owner, [port]))).Taken is [var lost, ..])
                    log.PortsNotHeld($"port {lost.Port} of {hold.Owner} was taken by another process meanwhile");
            }
        }
    }

    private static T Read<T>(ReadOnlyMemory<byte> request, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
        => JsonSerializer.Deserialize(request.Span, type) ?? throw new ShimException("ports: empty request");
}
