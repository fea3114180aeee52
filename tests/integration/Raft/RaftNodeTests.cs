using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Manager.Raft;
using Orchestrator.Manager.Raft.Node;
using Orchestrator.Manager.Raft.Storage;
using Orchestrator.Manager.Raft.Transport;

namespace Orchestrator.Tests.Integration.Raft;

public sealed class RaftNodeTests : IDisposable
{
    private readonly TemporaryDirectory root = new();

    public void Dispose() => root.Dispose();

    [Fact]
    public async Task A_single_voter_leads_at_once_and_keeps_what_it_acknowledged()
    {
        for (var round = 0; round < 3; round++)
        {
            await using var voter = await SingleVoter.StartAsync(root["j"]);
            Assert.Equal(round * 40, voter.Machine.Items.Count);
            var at = await Task.WhenAll(Enumerable.Range(0, 40).Select(i => voter.ProposeAsync($"{round}.{i}")));
            Assert.Equal(40, at.Distinct().Count());
            Assert.Contains($"{round}.39", voter.Machine.Items);
        }
    }

    [Fact]
    public async Task Snapshots_replace_the_log_and_restore_the_machine()
    {
        await using (var voter = await SingleVoter.StartAsync(root["j"], snapshotEntries: 10))
        {
            for (var i = 0; i < 55; i++)
                await voter.ProposeAsync($"{i}");
        }

        await using (var journal = Journals.Open(new() { Directory = root["j"], PersistenceId = "raft" }))
        {
            var contents = await journal.OpenAsync(default);
            Assert.True(contents.Snapshot.Index >= 30, $"snapshot at {contents.Snapshot.Index}");
            Assert.True(contents.Entries.Count < 30, $"{contents.Entries.Count} entries");
        }

        await using var again = await SingleVoter.StartAsync(root["j"]);
        Assert.Equal(1, again.Machine.Restores);
        await again.ProposeAsync("last");
        Assert.Equal([.. Enumerable.Range(0, 55).Select(i => $"{i}"), "last"], again.Machine.Items);
    }

    [Fact]
    public async Task After_the_end_proposals_are_dropped_by_name()
    {
        var voter = await SingleVoter.StartAsync(root["j"]);
        await voter.DisposeAsync();
        await Assert.ThrowsAsync<ProposalDroppedException>(() => voter.ProposeAsync("late"));
        Assert.False(voter.Node.Current.IsLeader);
    }

    private sealed class SingleVoter : IAsyncDisposable
    {
        private readonly CancellationTokenSource stop = new();
        private readonly ISealedJournal journal;
        private readonly RpcPeerNetwork network;
        private Task running = Task.CompletedTask;

        private SingleVoter(string directory, ulong snapshotEntries)
        {
            journal = Journals.Open(new() { Directory = directory, PersistenceId = "raft" });
            network = new(_ => null, TimeProvider.System, NullLogger.Instance, () => 0);
            Node = new(
                new() { Self = new(7), Voters = [new(7)], SnapshotEntries = snapshotEntries },
                journal, network, Machine, TimeProvider.System, NullLogger.Instance, _ => 0);
        }

        internal ListMachine Machine { get; } = new();

        internal RaftNode Node { get; }

        internal static async Task<SingleVoter> StartAsync(string directory, ulong snapshotEntries = 10_000)
        {
            var voter = new SingleVoter(directory, snapshotEntries);
            await voter.Node.StartAsync(default);
            voter.running = voter.Node.RunAsync(voter.stop.Token);
            await foreach (var status in voter.Node.WatchLeadershipAsync(default))
            {
                if (status.IsLeader)
                    break;
            }

            return voter;
        }

        internal Task<ulong> ProposeAsync(string text) => Node.ProposeAsync(Encoding.UTF8.GetBytes(text), default);

        public async ValueTask DisposeAsync()
        {
            await stop.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
            await network.DisposeAsync();
            await journal.DisposeAsync();
        }
    }
}
