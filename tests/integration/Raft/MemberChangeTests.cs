using Orchestrator.Manager.Raft;
using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Tests.Integration.Raft;

public sealed class MemberChangeTests : IDisposable
{
    private readonly CancellationTokenSource giveUp = new(TimeSpan.FromSeconds(60));
    private readonly TemporaryDirectory root = new();

    public void Dispose()
    {
        giveUp.Dispose();
        root.Dispose();
    }

    [Fact]
    public async Task A_single_voter_takes_in_two_more_reads_are_linearizable_anywhere_and_the_leader_may_go()
    {
        var ports = Voter.FreePorts(3);
        List<Voter> voters = [];
        try
        {
            for (var n = 1ul; n <= 3; n++)
                voters.Add(await Voter.StartAsync(new(n), ports, root[$"{n}"], n == 1 ? [new(1)] : []));
            var first = await Voter.LeaderAsync(voters[..1], giveUp.Token);
            for (var i = 0; i < 30; i++)
                await first.ProposeAsync($"{i}", giveUp.Token); // the first entries are compacted: who joins gets a snapshot
            await Task.WhenAll(voters.Skip(1).Select(v => first.Node.AddMemberAsync(v.Id, giveUp.Token)));
            await first.Node.AddMemberAsync(new(2), giveUp.Token); // once more: at once
            Assert.Equal([new(1), new(2), new(3)], first.Node.Members.Voters);
            Assert.True(first.Node.Members.IsReachable(new(3)));
            Assert.Equal("voter-1:2377", voters[2].Spoke[first.Id]);
            var refused = await Assert.ThrowsAsync<NotLeaderException>(() => voters[1].Node.AddMemberAsync(new(3), giveUp.Token));
            Assert.Equal(new PeerId(1), refused.LeaderId);

            for (var i = 30; i < 60; i++)
            {
                await first.ProposeAsync($"{i}", giveUp.Token);
                await Task.WhenAll(voters.Select(v => v.Node.ReadIndexAsync(giveUp.Token)));
                Assert.All(voters, v => Assert.Equal($"{i}", v.Machine.Items[^1]));
            }

            await first.Node.RemoveMemberAsync(first.Id, giveUp.Token);
            var next = await Voter.LeaderAsync(voters[1..], giveUp.Token);
            await next.ProposeAsync("after", giveUp.Token);
            Assert.Equal([new(2), new(3)], next.Node.Members.Voters);
            await next.Node.RemoveMemberAsync(first.Id, giveUp.Token); // no member: at once

            var other = voters.Single(v => v != first && v != next);
            await next.Node.TransferAsync(other.Id, giveUp.Token);
            Assert.Same(other, await Voter.LeaderAsync(voters[1..], giveUp.Token));
            await other.Node.RemoveMemberAsync(next.Id, giveUp.Token);
            var last = await Assert.ThrowsAsync<MembershipException>(() => other.Node.RemoveMemberAsync(other.Id, giveUp.Token));
            Assert.Contains("is the last one that votes", last.Message, StringComparison.Ordinal);
            Assert.Equal("after", other.Machine.Items[^1]);
        }
        finally
        {
            foreach (var voter in voters)
                await voter.DisposeAsync();
        }
    }

    [Fact]
    public async Task Who_lost_the_majority_begins_anew_with_everything_it_had()
    {
        var ports = Voter.FreePorts(3);
        var voters = new List<Voter>();
        foreach (var id in ports.Keys)
            voters.Add(await Voter.StartAsync(id, ports, root[$"{id}"]));
        var leader = await Voter.LeaderAsync(voters, giveUp.Token);
        for (var i = 0; i < 25; i++)
            await leader.ProposeAsync($"{i}", giveUp.Token);
        var survivor = voters.First(v => v != leader);
        await survivor.Node.ReadIndexAsync(giveUp.Token);
        foreach (var voter in voters.Where(v => v != survivor))
            await voter.DisposeAsync();

        while (survivor.Node.Current.Leader is not null)
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, giveUp.Token);
        await Assert.ThrowsAsync<NotLeaderException>(() => survivor.Node.ReadIndexAsync(giveUp.Token)); // old state is not shown as if it were new
        await survivor.DisposeAsync();

        await using var alone = await Voter.StartAsync(survivor.Id, ports, root[$"{survivor.Id}"], anew: true);
        await Voter.LeaderAsync([alone], giveUp.Token);
        await alone.ProposeAsync("anew", giveUp.Token);
        Assert.Equal([.. Enumerable.Range(0, 25).Select(i => $"{i}"), "anew"], alone.Machine.Items);
        Assert.Equal([survivor.Id], alone.Node.Members.Voters);
    }
}
