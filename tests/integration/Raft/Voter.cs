using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Manager.Raft.Core;
using Orchestrator.Manager.Raft.Node;
using Orchestrator.Manager.Raft.Storage;
using Orchestrator.Manager.Raft.Transport;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Rpc;
using Orchestrator.Shared.Security;
using Orchestrator.Tests.Integration.Rpc;

namespace Orchestrator.Tests.Integration.Raft;

/// <summary>One voter of a cluster on this machine: journal on disk, peers over TCP.</summary>
internal sealed class Voter : IAsyncDisposable
{
    private readonly CancellationTokenSource stop = new();
    private readonly ISealedJournal journal;
    private readonly RpcPeerNetwork network;
    private RpcHost? host;
    private Task running = Task.CompletedTask;

    private Voter(PeerId id, ImmutableSortedDictionary<PeerId, int> ports, string directory, RaftNodeOptions options)
    {
        Id = id;
        journal = Journals.Open(new() { Directory = directory, PersistenceId = "raft" });
        network = new(
            peer => new RpcChannelOptions { Connect = RpcConnects.Tcp(new IPEndPoint(IPAddress.Loopback, ports[peer])) },
            TimeProvider.System, NullLogger.Instance, () => 0.5)
        {
            Address = $"voter-{id}:2377",
            Heard = (peer, call) => Spoke[peer] = call.Metadata[RaftMethods.AddressHeader],
        };
        Node = new(
            options, journal, network, Machine, TimeProvider.System, NullLogger.Instance, RandomNumberGenerator.GetInt32);
    }

    internal PeerId Id { get; }

    /// <summary>Where those that spoke to it say that they answer.</summary>
    internal ConcurrentDictionary<PeerId, string?> Spoke { get; } = [];

    internal ListMachine Machine { get; } = new();

    internal RaftNode Node { get; }

    internal int RestoresAtStart { get; private set; }

    /// <param name="voters">Who votes at first; null for everybody with a port.</param>
    internal static async Task<Voter> StartAsync(
        PeerId id, ImmutableSortedDictionary<PeerId, int> ports, string directory, ImmutableArray<PeerId>? voters = null, bool anew = false)
    {
        var voter = new Voter(id, ports, directory, new()
        {
            Self = id, Voters = voters ?? [.. ports.Keys], Tick = TimeSpan.FromMilliseconds(30), SnapshotEntries = 20, KeepEntries = 5, BeginAnew = anew, Raft = new() { PieceBytes = 50 },
        });
        var server = new RpcServer(TimeProvider.System, NullLogger.Instance) { Local = () => new PeerIdentity(new NodeId("voter"), NodeRole.Manager, "cluster") };
        voter.network.Map(server);
        voter.host = await RpcHost.StartAsync(server, ports[id]);
        await voter.Node.StartAsync(default);
        voter.RestoresAtStart = voter.Machine.Restores;
        voter.running = voter.Node.RunAsync(voter.stop.Token);
        return voter;
    }

    internal Task<ulong> ProposeAsync(string text, CancellationToken giveUp) => Node.ProposeAsync(Encoding.UTF8.GetBytes(text), giveUp);

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        await network.DisposeAsync();
        await host!.DisposeAsync();
        await journal.DisposeAsync();
    }

    internal static async Task<Voter> LeaderAsync(IEnumerable<Voter> voters, CancellationToken giveUp)
    {
        while (true)
        {
            if (voters.FirstOrDefault(v => v.Node.Current.IsLeader) is { } leader && voters.All(v => v.Node.Current.Leader == leader.Id))
                return leader;
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, giveUp);
        }
    }

    internal static ImmutableSortedDictionary<PeerId, int> FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        listeners.ForEach(l => l.Start());
        var ports = listeners.Select((l, i) => KeyValuePair.Create(new PeerId((ulong)i + 1), ((IPEndPoint)l.LocalEndpoint).Port));
        var result = ports.ToImmutableSortedDictionary();
        listeners.ForEach(l => l.Dispose());
        return result;
    }
}
