using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Manager.Raft;
using Orchestrator.Manager.Raft.Core;
using Orchestrator.Manager.Raft.Node;
using Orchestrator.Manager.Raft.Storage;
using Orchestrator.Manager.Raft.Transport;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Rpc;
using Orchestrator.Shared.Security;

namespace Orchestrator.Tests.Bench.Raft;

/// <summary>
/// Entries of 256 bytes through three voters in this one process, each with its journal on disk and its links over loopback, without TLS, clients
/// and state: what the log alone costs.
/// </summary>
internal static class RaftBench
{
    private static readonly TimeSpan Warm = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Length = TimeSpan.FromSeconds(5);

    internal static async Task<int> RunAsync(string[] arguments)
    {
        var directory = Directory.CreateTempSubdirectory("orch-raft-bench").FullName;
        try
        {
            Dictionary<PeerId, IPEndPoint> addresses = [];
            List<Voter> voters = [.. Enumerable.Range(1, 3).Select(i => new Voter(new((ulong)i), Path.Combine(directory, $"{i}"), addresses))];
            foreach (var voter in voters)
                await voter.StartAsync();
            while (voters.Find(v => v.Node.Current.IsLeader) is null)
                await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System);
            var leader = voters.Find(v => v.Node.Current.IsLeader)!;
            foreach (var clients in arguments.Length > 0 ? arguments.Select(a => int.Parse(a, CultureInfo.InvariantCulture)) : [1, 64, 512])
                await LoadAsync(leader, clients);
            foreach (var voter in voters)
                await voter.StopAsync();
            return 0;
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static async Task LoadAsync(Voter leader, int clients)
    {
        using var stop = new CancellationTokenSource();
        List<double>[] times = [.. Enumerable.Range(0, clients).Select(_ => new List<double>(1 << 14))];
        var measuring = false;
        var loops = times.Select(own => Task.Run(async () =>
        {
            var entry = new byte[256];
            while (!stop.IsCancellationRequested)
            {
                var began = Stopwatch.GetTimestamp();
                await leader.Node.ProposeAsync(entry, CancellationToken.None);
                if (Volatile.Read(ref measuring))
                    own.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            }
        })).ToList();
        await Task.Delay(Warm, TimeProvider.System);
        var (cpu, allocated, collections, clock) = (Environment.CpuUsage.TotalTime, GC.GetTotalAllocatedBytes(), GC.CollectionCount(0), Stopwatch.StartNew());
        Volatile.Write(ref measuring, true);
        await Task.Delay(Length, TimeProvider.System);
        Volatile.Write(ref measuring, false);
        var (cpuSpent, bytes, seconds) = (Environment.CpuUsage.TotalTime - cpu, GC.GetTotalAllocatedBytes() - allocated, clock.Elapsed.TotalSeconds);
        await stop.CancelAsync();
        await Task.WhenAll(loops);
        double[] all = [.. times.SelectMany(t => t).Order()];
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{clients} proposers: {all.Length / seconds:F0}/s, p50 {all[all.Length / 2]:F2} ms, p99 {all[all.Length * 99 / 100]:F2} ms; "
            + $"an entry costs {cpuSpent.TotalMicroseconds / all.Length:F1} us of CPU and {bytes / all.Length} bytes; {GC.CollectionCount(0) - collections} collections"));
    }

    private sealed class Voter
    {
        private readonly CancellationTokenSource stop = new();
        private readonly IJournal journal;
        private readonly RpcPeerNetwork network;
        private readonly PeerId id;
        private readonly Dictionary<PeerId, IPEndPoint> addresses;
        private Task running = Task.CompletedTask;
        private WebApplication? host;

        internal Voter(PeerId id, string directory, Dictionary<PeerId, IPEndPoint> addresses)
        {
            (this.id, this.addresses) = (id, addresses);
            journal = Journals.Open(new() { Directory = directory, PersistenceId = $"{id}" });
            network = new(
                peer => addresses.TryGetValue(peer, out var address) ? new() { Connect = RpcConnects.Tcp(address) } : null,
                TimeProvider.System, NullLogger.Instance, () => 0.5);
            Node = new(
                new() { Self = id, Voters = [new(1), new(2), new(3)] }, journal, network, new NoState(), TimeProvider.System, NullLogger.Instance,
                RandomNumberGenerator.GetInt32);
        }

        internal RaftNode Node { get; }

        internal async Task StartAsync()
        {
            var server = new RpcServer(TimeProvider.System, NullLogger.Instance)
            {
                Local = () => new PeerIdentity(new NodeId("voter"), NodeRole.Manager, "cluster"),
            };
            network.Map(server);
            var builder = WebApplication.CreateEmptyBuilder(new());
            builder.WebHost.UseKestrelCore().ConfigureKestrel(k =>
            {
                RpcKestrel.Configure(k);
                k.Listen(IPAddress.Loopback, 0, RpcKestrel.Endpoint);
            });
            host = builder.Build();
            host.Run(async context => await server.TryHandleAsync(context));
            await host.StartAsync();
            var url = new Uri(host.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
            addresses[id] = new(IPAddress.Loopback, url.Port);
            await Node.StartAsync(default);
            running = Node.RunAsync(stop.Token);
        }

        internal async Task StopAsync()
        {
            await stop.CancelAsync();
            await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await network.DisposeAsync();
            using var now = new CancellationTokenSource(TimeSpan.Zero);
            await host!.StopAsync(now.Token);
            await host.DisposeAsync();
            await journal.DisposeAsync();
        }
    }

    /// <summary>Forgets everything, so that the log is what is measured.</summary>
    private sealed class NoState : IReplicatedMachine, ISnapshot
    {
        public void Apply(ulong index, ReadOnlyMemory<byte> entry)
        {
        }

        public ISnapshot Capture() => this;

        public Task RestoreAsync(Stream snapshot, CancellationToken stop) => Task.CompletedTask;

        public Task WriteAsync(Stream target, CancellationToken stop) => target.WriteAsync("nothing"u8.ToArray(), stop).AsTask();
    }
}
