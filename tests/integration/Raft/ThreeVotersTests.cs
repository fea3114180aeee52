using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Manager.Raft;
using Orchestrator.Manager.Raft.Core;
using Orchestrator.Manager.Raft.Node;
using Orchestrator.Manager.Raft.Storage;
using Orchestrator.Manager.Raft.Transport;
using Orchestrator.Shared.Rpc;
using Orchestrator.Tests.Integration.Rpc;

namespace Orchestrator.Tests.Integration.Raft;

public sealed class ThreeVotersTests : IDisposable
{
    private static readonly TimeSpan Generous = TimeSpan.FromSeconds(60);
    private readonly TemporaryDirectory root = new();

    public void Dispose() => root.Dispose();

    [Fact]
    public async Task Three_voters_elect_replicate_survive_the_leaders_end_and_bring_it_back_by_snapshot()
    {
        using var giveUp = new CancellationTokenSource(Generous);
        var ports = FreePorts(3);
        var voters = new Dictionary<PeerId, Voter>();
        try
        {
            foreach (var id in ports.Keys)
                voters[id] = await Voter.StartAsync(id, ports, root[$"{id}"]);
            var leader = await LeaderAsync(voters.Values, giveUp.Token);
            for (var i = 0; i < 50; i++)
                await leader.ProposeAsync($"{i}", giveUp.Token);
            var follower = voters.Values.First(v => v != leader);
            var refusal = await Assert.ThrowsAsync<NotLeaderException>(() => follower.ProposeAsync("no", giveUp.Token));
            Assert.Equal(leader.Id, refusal.LeaderId);

            await leader.DisposeAsync();
            voters.Remove(leader.Id);
            var next = await LeaderAsync(voters.Values, giveUp.Token);
            for (var i = 50; i < 120; i++)
                await next.ProposeAsync($"{i}", giveUp.Token);

            // Its log ends before where the others' logs begin: only a snapshot helps.
            voters[leader.Id] = await Voter.StartAsync(leader.Id, ports, root[$"{leader.Id}"]);
            string[] all = [.. Enumerable.Range(0, 120).Select(i => $"{i}")];
            foreach (var voter in voters.Values)
            {
                while (!voter.Machine.Items.SequenceEqual(all))
                    await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, giveUp.Token);
            }

            var back = voters[leader.Id];
            Assert.True(back.Machine.Restores > back.RestoresAtStart, "the leader's snapshot was not installed");
        }
        finally
        {
            foreach (var voter in voters.Values)
                await voter.DisposeAsync();
        }
    }

    private static async Task<Voter> LeaderAsync(IEnumerable<Voter> voters, CancellationToken giveUp)
    {
        while (true)
        {
            if (voters.FirstOrDefault(v => v.Node.Current.IsLeader) is { } leader && voters.All(v => v.Node.Current.Leader == leader.Id))
                return leader;
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, giveUp);
        }
    }

    private static ImmutableSortedDictionary<PeerId, int> FreePorts(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        listeners.ForEach(l => l.Start());
        var ports = listeners.Select((l, i) => KeyValuePair.Create(new PeerId((ulong)i + 1), ((IPEndPoint)l.LocalEndpoint).Port));
        var result = ports.ToImmutableSortedDictionary();
        listeners.ForEach(l => l.Dispose());
        return result;
    }

    private sealed class Voter : IAsyncDisposable
    {
        private readonly CancellationTokenSource stop = new();
        private readonly ISealedJournal journal;
        private readonly RpcPeerNetwork network;
        private RpcHost? host;
        private Task running = Task.CompletedTask;

        private Voter(PeerId id, ImmutableSortedDictionary<PeerId, int> ports, string directory)
        {
            Id = id;
            journal = Journals.Open(new() { Directory = directory, PersistenceId = "raft" });
            network = new(
                ports.Remove(id).ToDictionary(p => p.Key, p => new RpcChannelOptions { Connect = RpcConnects.Tcp(new IPEndPoint(IPAddress.Loopback, p.Value)) }),
                TimeProvider.System, NullLogger.Instance, () => 0.5);
            Node = new(
                new() { Self = id, Voters = [.. ports.Keys], Tick = TimeSpan.FromMilliseconds(30), SnapshotEntries = 20, KeepEntries = 5 },
                journal, network, Machine, TimeProvider.System, NullLogger.Instance, RandomNumberGenerator.GetInt32);
        }

        internal PeerId Id { get; }

        internal ListMachine Machine { get; } = new();

        internal RaftNode Node { get; }

        internal int RestoresAtStart { get; private set; }

        internal static async Task<Voter> StartAsync(PeerId id, ImmutableSortedDictionary<PeerId, int> ports, string directory)
        {
            var voter = new Voter(id, ports, directory);
            var server = new RpcServer(TimeProvider.System, NullLogger.Instance);
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
    }
}
