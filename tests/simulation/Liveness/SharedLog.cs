using Orchestrator.Manager.Raft;
using Orchestrator.Manager.Raft.Core;
using Orchestrator.Manager.State;
using Orchestrator.Tests.Doubles;
using Orchestrator.Tests.Simulation.Control;
using Orchestrator.Tests.Simulation.Raft;

namespace Orchestrator.Tests.Simulation.Liveness;

/// <summary>
/// What Raft gives to the rooms above it, played: one log, at most one manager whose proposals are committed, and a manager that was cut
/// off believes for a second that it still leads. Raft itself is simulated elsewhere.
/// </summary>
internal sealed class SharedLog(VirtualTime clock, Dice chance)
{
    private readonly VirtualTime time = clock;
    private readonly Dice dice = chance;
    private readonly List<byte[]> entries = [];
    private readonly List<Seat> seats = [];
    private ulong term;

    /// <summary>Whose proposals are committed; null during an election.</summary>
    internal Seat? Leader { get; private set; }

    internal Seat Join(PeerId id, Cluster cluster)
    {
        var seat = new Seat(this, id, cluster);
        seats.Add(seat);
        return seat;
    }

    /// <summary>The seat leads; the one before learns of it unless it is cut off.</summary>
    internal void Elect(Seat next)
    {
        term++;
        Leader = next;
        foreach (var seat in seats.Where(s => !s.IsCut))
            seat.Say(new(term, next.Id, seat == next));
    }

    /// <summary>Nobody leads, and who is not cut off knows.</summary>
    internal void Depose()
    {
        Leader = null;
        foreach (var seat in seats.Where(s => !s.IsCut))
            seat.Say(new(term, null, IsLeader: false));
    }

    /// <summary>No word to or from the other managers: it goes on leading for the length of an election, in vain.</summary>
    internal async Task CutAsync(Seat seat)
    {
        seat.IsCut = true;
        if (Leader == seat)
            Leader = null;
        await Task.Delay(TimeSpan.FromSeconds(1), time, CancellationToken.None);
        if (seat.IsCut)
            seat.Say(new(term, null, IsLeader: false));
    }

    internal void Heal(Seat seat)
    {
        seat.IsCut = false;
        CatchUp(seat);
        seat.Say(new(term, Leader?.Id, seat == Leader));
    }

    private void CatchUp(Seat seat)
    {
        while (seat.Applied < entries.Count)
        {
            var entry = entries[seat.Applied++];
            seat.Cluster.Apply((ulong)seat.Applied, entry);
        }
    }

    /// <summary>One manager's end of the log.</summary>
    internal sealed class Seat(SharedLog log, PeerId id, Cluster cluster) : PlayedRaft(log.time)
    {
        internal PeerId Id { get; } = id;
        internal Cluster Cluster { get; } = cluster;
        internal bool IsCut { get; set; }
        internal int Applied { get; set; }

        public override MembershipView Members => new([.. log.seats.Select(s => s.Id).Order()], [], []);

        public override async Task<ulong> ProposeAsync(ReadOnlyMemory<byte> entry, CancellationToken stop)
        {
            if (!Current.IsLeader)
                throw new NotLeaderException(Current.Leader);
            await Task.Delay(TimeSpan.FromMicroseconds(500 + log.dice.Below(4000)), log.time, stop);
            while (IsCut && Current.IsLeader)
                await Changed.WaitAsync(stop);
            if (log.Leader != this)
                throw new ProposalDroppedException("leadership was lost");
            log.entries.Add(entry.ToArray());
            var index = (ulong)log.entries.Count;
            foreach (var seat in log.seats.Where(s => !s.IsCut))
                log.CatchUp(seat);
            return index;
        }

        public override async Task ReadIndexAsync(CancellationToken stop)
        {
            await Task.Delay(TimeSpan.FromMicroseconds(500 + log.dice.Below(2000)), log.time, stop);
            while (IsCut && Current.IsLeader)
                await Changed.WaitAsync(stop);
            if (log.Leader is null || IsCut)
                throw new NotLeaderException(null);
            log.CatchUp(this);
        }
    }
}
