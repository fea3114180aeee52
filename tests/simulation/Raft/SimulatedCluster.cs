using System.Buffers.Binary;
using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Tests.Simulation.Raft;

/// <summary>
/// Voters over a network that loses, repeats, reorders and divides, on disks of different speed that stall, under clocks of different rate,
/// driven by one die.
/// </summary>
internal sealed class SimulatedCluster
{
    private readonly Dice dice;
    private readonly SimulatedVoter[] voters;
    private readonly List<Message> wire = [];
    private readonly HashSet<PeerId> cutOff = [];
    private ulong proposed;

    private readonly bool changes;
    private readonly List<string>? script;
    private readonly HashSet<PeerId> stalled = [];

    /// <param name="script">Takes down every step, for who reads a failing seed.</param>
    /// <param name="spares">Nodes that are no members at first; with any, members change all the time.</param>
    internal SimulatedCluster(ulong seed, int size, int spares = 0, List<string>? script = null)
    {
        dice = new(seed);
        changes = spares > 0;
        this.script = script;
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
                case < 540:
                    DeliverOne();
                    break;
                case < 700:
                    if (dice.Chance(voter.ClockRate))
                        Do(voter, "ticks", () => voter.Core.Tick());
                    break;
                case < 870:
                    if (voter.Disk.Busy && !stalled.Contains(voter.Id) && dice.Chance(voter.DiskRate))
                        Complete(voter);
                    break;
                case < 940:
                    Propose(voter);
                    break;
                case < 966:
                    Do(voter, "reads", voter.AskRead);
                    break;
                case < 974 when changes:
                    ChangeMembers(Array.Find(voters, v => v.Core.Role == Role.Leader) ?? voter);
                    break;
                case < 975:
                    Do(voter, "takes a snapshot", voter.TakeSnapshot);
                    break;
                case < 980:
                    Do(voter, "crashes", voter.Crash);
                    break;
                case < 984:
                    Note($"{voter.Id} is cut off");
                    cutOff.Add(voter.Id);
                    break;
                case < 988:
                    Note($"{voter.Id} is back");
                    cutOff.Remove(voter.Id);
                    break;
                case < 990:
                    Note($"the disk of {voter.Id} stalls");
                    stalled.Add(voter.Id);
                    break;
                case < 994:
                    Note($"the disk of {voter.Id} goes on");
                    stalled.Remove(voter.Id);
                    break;
                case < 996:
                    Do(voter, "hears that a connection broke", () => Break(voter));
                    break;
                default:
                    var to = voters[dice.Below(voters.Length)].Id;
                    Do(voter, $"hands over to {to}", () => voter.Core.TransferTo(to));
                    break;
            }
        }
    }

    private void Break(SimulatedVoter voter)
    {
        var peer = voters[dice.Below(voters.Length)].Id;
        voter.Core.ReportUnreachable(peer);
        if (voter.Core.Leader == peer)
            voter.Core.ForgetLeader();
    }

    private void Do(SimulatedVoter voter, string what, Action act)
    {
        Note($"{voter.Id} {what}");
        act();
        Send(voter.Obey());
    }

    private void Note(string what) => script?.Add(what);

    private void Complete(SimulatedVoter voter)
    {
        Note($"{voter.Id} has written");
        Send(voter.CompleteWrite());
    }

    /// <summary>With a whole network and working disks a new proposal commits everywhere, and every state is the same.</summary>
    internal void Heal()
    {
        Note("everything heals");
        cutOff.Clear();
        var goal = 0ul;
        var asked = false;
        for (var round = 0; round < 3000; round++)
        {
            foreach (var voter in voters)
            {
                if (round % 5 == 0)
                    voter.Core.Tick();
                Send(voter.Obey());
                while (voter.Disk.Busy)
                    Complete(voter);
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
                if (!asked)
                {
                    asked = true;
                    foreach (var member in members)
                        Do(member, "reads", member.AskRead);
                }

                if (members.All(m => m.OpenReads == 0))
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
        Note($"{voter.Id} is to change the members to {string.Join(',', chosen)} learners {string.Join(',', learners)}");
        if (voter.Core.ProposeMembership(chosen, learners) is not null)
            Changes++;
        Send(voter.Obey());
    }

    internal int Changes { get; private set; }

    private ulong Propose(SimulatedVoter voter)
    {
        var data = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(data, ++proposed + 1000);
        Note($"{voter.Id} proposes {proposed}");
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
        Note($"lost: {Text(m)}");
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

        Note(Text(m));
        wire.RemoveAt(at);
        var to = voters[(int)m.To.Value - 1];
        to.Core.Step(m);
        Send(to.Obey());
    }

    private static string Text(Message m) =>
        $"{m.From}->{m.To} {m.Kind} term {m.Term} at {m.LogIndex}/{m.LogTerm} commit {m.Commit}{(m.Reject ? " REJECT" : "")} hint {m.Hint} read {m.Context}"
        + $" from {m.Offset}/{m.Length} snapshot {m.Snapshot?.Index} entries {m.Entries.Count}";

    internal int Reads => voters.Sum(v => v.AnsweredReads);
}
