using System.Buffers.Binary;
using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Tests.Simulation.Raft;

/// <summary>Voters over a network that loses, repeats, reorders and divides, driven by one die.</summary>
internal sealed class SimulatedCluster
{
    private readonly Dice dice;
    private readonly SimulatedVoter[] voters;
    private readonly List<Message> wire = [];
    private readonly HashSet<PeerId> cutOff = [];
    private ulong proposed;

    private readonly bool changes;

    /// <param name="spares">Nodes that are no members at first; with any, members change all the time.</param>
    internal SimulatedCluster(ulong seed, int size, int spares = 0)
    {
        dice = new(seed);
        changes = spares > 0;
        PeerId[] ids = [.. Enumerable.Range(1, size).Select(i => new PeerId((ulong)i))];
        voters =
        [
            .. ids.Select(id => new SimulatedVoter(id, ids, dice, Witness)),
            .. Enumerable.Range(size + 1, spares).Select(i => new SimulatedVoter(new((ulong)i), [], dice, Witness)),
        ];
    }

    internal Witness Witness { get; } = new();

    internal void Trouble(int steps)
    {
        for (var i = 0; i < steps; i++)
        {
            var voter = voters[dice.Below(voters.Length)];
            switch (dice.Below(1000))
            {
                case < 550:
                    DeliverOne();
                    break;
                case < 700:
                    voter.Core.Tick();
                    Send(voter.Obey());
                    break;
                case < 880:
                    if (voter.Disk.Busy)
                        Send(voter.CompleteWrite());
                    break;
                case < 975:
                    Propose(voter);
                    break;
                case < 979 when changes:
                    ChangeMembers(Array.Find(voters, v => v.Core.Role == Role.Leader) ?? voter);
                    break;
                case < 980:
                    voter.TakeSnapshot();
                    break;
                case < 985:
                    voter.Crash();
                    break;
                case < 990:
                    cutOff.Add(voter.Id);
                    break;
                case < 996:
                    cutOff.Remove(voter.Id);
                    break;
                default:
                    if (voter.Core.TransferTo(voters[dice.Below(voters.Length)].Id))
                        Send(voter.Obey());
                    break;
            }
        }
    }

    /// <summary>With a whole network and working disks a new proposal commits everywhere, and every state is the same.</summary>
    internal void Heal()
    {
        cutOff.Clear();
        var goal = 0ul;
        for (var round = 0; round < 3000; round++)
        {
            foreach (var voter in voters)
            {
                if (round % 5 == 0)
                    voter.Core.Tick();
                Send(voter.Obey());
                while (voter.Disk.Busy)
                    Send(voter.CompleteWrite());
            }

            for (var n = wire.Count; n > 0; n--)
                Deliver(0);
            // Who was left out may think what it likes; nobody tells it anything any more.
            var leader = voters.SingleOrDefault(v => v.Core.HasAppliedOwnTerm && !v.Core.IsChanging && Members(v).All(o => o.Core.Leader == v.Id));
            var members = leader is null ? [] : Members(leader);
            if (leader is not null && goal == 0)
                goal = Propose(leader);
            if (goal > 0 && leader is not null && members.All(v => v.Core.Log.Applied >= goal && v.Core.Log.Applied == leader.Core.Log.Applied))
            {
                Assert.All(members, v => Assert.Equal(leader.State, v.State));
                return;
            }

            if (goal > 0 && leader is not null && members.All(v => v.Core.Log.Last < goal))
                goal = 0; // its leader was replaced before anybody else had it
        }

        throw new InvalidOperationException(
            "the healed cluster does not agree: "
            + string.Join("; ", voters.Select(v => $"{v.Id} {v.Core.Role} term {v.Core.Term} last {v.Core.Log.Last} commit {v.Core.Log.Commit}")));
    }

    private SimulatedVoter[] Members(SimulatedVoter of) => [.. of.Core.Membership.Peers.Select(p => voters[(int)p.Value - 1])];

    private void ChangeMembers(SimulatedVoter voter)
    {
        List<PeerId> chosen = [.. voters.Select(v => v.Id).Where(_ => dice.Chance(60))];
        if (chosen.Count == 0)
            return;
        List<PeerId> learners = [.. voters.Select(v => v.Id).Except(chosen).Where(_ => dice.Chance(40))];
        if (voter.Core.ProposeMembership(chosen, learners) is not null)
            Changes++;
        Send(voter.Obey());
    }

    internal int Changes { get; private set; }

    private ulong Propose(SimulatedVoter voter)
    {
        var data = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(data, ++proposed + 1000);
        var place = voter.Core.Propose(data);
        Send(voter.Obey());
        return place?.Index ?? 0;
    }

    private void Send(List<Message> outgoing) => wire.AddRange(outgoing);

    private void DeliverOne()
    {
        if (wire.Count == 0)
            return;
        var at = dice.Chance(70) ? 0 : dice.Below(wire.Count);
        if (dice.Chance(3))
            wire.Add(wire[at]);
        if (dice.Chance(4))
            Lose(at);
        else
            Deliver(at);
    }

    private void Lose(int at)
    {
        var m = wire[at];
        wire.RemoveAt(at);
        if (m.Kind == MessageKind.Snapshot)
            voters[(int)m.From.Value - 1].Core.ReportSnapshotLost(m.To);
    }

    private void Deliver(int at)
    {
        var m = wire[at];
        if (cutOff.Contains(m.From) != cutOff.Contains(m.To))
        {
            Lose(at);
            return;
        }

        wire.RemoveAt(at);
        var to = voters[(int)m.To.Value - 1];
        to.Core.Step(m);
        Send(to.Obey());
    }
}
