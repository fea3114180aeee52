using Orchestrator.Manager.Raft;
using Orchestrator.Manager.Raft.Core;

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
        var ports = Voter.FreePorts(3);
        var voters = new Dictionary<PeerId, Voter>();
        try
        {
            foreach (var id in ports.Keys)
                voters[id] = await Voter.StartAsync(id, ports, root[$"{id}"]);
            var leader = await Voter.LeaderAsync(voters.Values, giveUp.Token);
            for (var i = 0; i < 50; i++)
                await leader.ProposeAsync($"{i}", giveUp.Token);
            var follower = voters.Values.First(v => v != leader);
            var refusal = await Assert.ThrowsAsync<NotLeaderException>(() => follower.ProposeAsync("no", giveUp.Token));
            Assert.Equal(leader.Id, refusal.LeaderId);

            await leader.DisposeAsync();
            voters.Remove(leader.Id);
            var next = await Voter.LeaderAsync(voters.Values, giveUp.Token);
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
}
