using System.Buffers.Binary;
using System.Security.Cryptography;
using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Tests.Simulation.Raft;

/// <summary>One voter: core, disk and a machine whose state is a hash of everything applied.</summary>
internal sealed class SimulatedVoter
{
    private readonly Queue<(ulong Ticket, Message Message)> promises = new();
    private readonly RaftOptions options = new() { MaxInflight = 4, MaxAppendBytes = 24, PieceBytes = 10, MaxPieces = 3 };
    private readonly List<byte> staged = [];
    private readonly Queue<(ulong Read, ulong Floor)> reads = new();
    private readonly PeerId[] voters;
    private readonly Dice dice;
    private readonly Witness witness;

    internal SimulatedVoter(PeerId id, PeerId[] voters, Dice dice, Witness witness)
    {
        Id = id;
        ClockRate = 50 + dice.Below(51);
        DiskRate = 20 + dice.Below(81);
        this.voters = voters;
        this.dice = dice;
        this.witness = witness;
        Core = Boot();
    }

    internal PeerId Id { get; }

    /// <summary>How often of a hundred times this clock ticks when one of normal speed does.</summary>
    internal int ClockRate { get; }

    internal int DiskRate { get; }

    internal int OpenReads => reads.Count;

    internal int AnsweredReads { get; private set; }

    /// <summary>Whatever anybody applied before this moment has to be in the answer (Herlihy and Wing, "Linearizability").</summary>
    internal void AskRead()
    {
        if (Core.AskRead() is { } read)
            reads.Enqueue((read, witness.Newest));
    }

    internal RaftCore Core { get; private set; }

    internal SimulatedDisk Disk { get; } = new();

    internal ulong State { get; private set; }

    /// <summary>Obeys the core until it wants nothing more; returns what goes to others.</summary>
    internal List<Message> Obey()
    {
        List<Message> outgoing = [];
        while (Core.HasReady)
        {
            var ready = Core.TakeReady();
            witness.Saw(Core);
            witness.Appended(Core, ready.Entries);
            foreach (var (piece, reply) in ready.Staged)
            {
                if (piece.Offset == 0)
                    staged.Clear();
                Assert.Equal(piece.Offset, staged.Count);
                staged.AddRange(piece.SnapshotData.Span);
                if (reply is not null)
                    outgoing.Add(reply);
            }

            var installed = staged.ToArray();
            if (ready.Ticket != 0)
                Disk.Write(ready, installed);
            foreach (var m in ready.Messages)
                outgoing.Add(m.Kind == MessageKind.Snapshot ? Fill(m) : m);
            foreach (var m in ready.AfterPersist)
                promises.Enqueue((Core.LastTicket, m));
            if (!Core.IsWriting)
                Release(Core.LastTicket, outgoing);
            if (ready.Install is { } install)
                State = Load(install, installed);
            foreach (var entry in ready.Committed)
            {
                State = Witness.Mix(State, entry);
                witness.Applied(Core, entry, State);
            }

            foreach (var point in ready.Reads)
                Answer(point);
        }

        witness.Saw(Core);
        return outgoing;
    }

    private void Answer(ReadPoint point)
    {
        while (reads.TryPeek(out var read) && read.Read <= point.Through)
        {
            reads.Dequeue();
            if (point.Index is not { } index)
                continue;
            AnsweredReads++;
            if (index < read.Floor)
                throw new InvalidOperationException($"{Id} may answer a read at {index}, but {read.Floor} was applied before it was asked for");
        }
    }

    internal List<Message> CompleteWrite()
    {
        var ticket = Disk.Complete();
        List<Message> outgoing = [];
        if (ticket == 0)
        {
            var keep = Math.Min(Disk.Snapshot.Index, Core.Log.Applied);
            Core.Compact(Disk.Snapshot, keep > 5 ? keep - 5 : 0);
            return outgoing;
        }

        Core.Persisted(ticket);
        Release(ticket, outgoing);
        outgoing.AddRange(Obey());
        return outgoing;
    }

    internal void TakeSnapshot()
    {
        var applied = Core.Log.Applied;
        if (applied <= Core.Log.Snapshot.Index)
            return;
        var data = new byte[8 + (int)(applied % 50)]; // one piece or many
        BinaryPrimitives.WriteUInt64LittleEndian(data, State);
        Disk.SaveSnapshot(new(applied, Core.Log.TermAt(applied)!.Value, Core.Log.MembershipAt(applied)), data, applied > 5 ? applied - 5 : 0);
    }

    internal void Crash()
    {
        Disk.Crash(dice.Below(Disk.UnderWay + 1));
        promises.Clear();
        reads.Clear();
        Core = Boot();
    }

    /// <summary>The newest snapshot's piece, also when the transfer began with an older one: the receiver has to notice.</summary>
    private Message Fill(Message m)
    {
        var whole = Disk.SnapshotData;
        var from = (int)Math.Min(m.Offset, whole.Length);
        var piece = whole.Slice(from, Math.Min(options.PieceBytes, whole.Length - from));
        return m with
        {
            Snapshot = Disk.Snapshot, Length = whole.Length, SnapshotData = piece,
            Digest = from + piece.Length == whole.Length ? SHA256.HashData(whole.Span) : default(ReadOnlyMemory<byte>),
        };
    }

    private RaftCore Boot()
    {
        staged.Clear();
        State = Disk.Snapshot.Index == 0 ? 0 : Load(Disk.Snapshot, Disk.SnapshotData);
        return new(
            Id, voters, options, Disk.HardState, Disk.Snapshot, Disk.Entries, dice.Next(), () => dice.Below(10));
    }

    private ulong Load(SnapshotMeta meta, ReadOnlyMemory<byte> data)
    {
        var state = BinaryPrimitives.ReadUInt64LittleEndian(data.Span);
        witness.Restored(meta.Index, state);
        return state;
    }

    private void Release(ulong ticket, List<Message> outgoing)
    {
        while (promises.TryPeek(out var promise) && promise.Ticket <= ticket)
        {
            var m = promises.Dequeue().Message;
            if (m.To == Id)
                Core.Step(m);
            else
                outgoing.Add(m);
        }
    }
}
