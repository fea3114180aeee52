using Orchestrator.Manager;
using Orchestrator.Manager.Raft.Core;
using Orchestrator.Manager.Raft.Transport;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;

namespace Orchestrator.Tests.Simulation.Managers;

/// <summary>The voters' network, one end of it.</summary>
/// <param name="find">The host of a node.</param>
/// <param name="sent">Sees every message.</param>
internal sealed class PeerWire(Fabric fabric, SimulatedManager self, Machine machine, Func<NodeId, SimulatedManager?> find, Action<Message> sent) : IPeerNetwork
{
    private Action<PeerEvent>? receive;

    public void Attach(Action<PeerEvent> receive) => this.receive = receive;

    public void Send(Message message)
    {
        sent(message);
        var lost = Find(message.To) is not { } target || Lost(target, message);
        if (lost)
        {
            // As a link does: now and then the loss is noticed, because the queue is full or the stream breaks.
            if (fabric.Dice.Chance(10))
                Tell(fabric.Dice.Chance(50) ? new PeerEvent.Unreachable(message.To) : new PeerEvent.Broken(message.To));
            else if (message.Kind == MessageKind.Snapshot && fabric.Dice.Chance(50))
                Tell(new PeerEvent.SnapshotSent(message.To, Arrived: false));
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>By what this manager knows of the others, as in life: a number leads to a host, whatever number is that one's by now.</summary>
    private SimulatedManager? Find(PeerId peer) => self.Life?.Host.Book.Find(peer) is { } known ? find(known.NodeId) : null;

    private bool Lost(SimulatedManager target, Message message)
    {
        if (target.Life is null || fabric.IsCut(self.Number, target.Number) || fabric.Dice.Below(100) < fabric.LossPercent)
            return true;
        Carry(target, message);
        if (fabric.Dice.Below(100) < fabric.DoublePercent)
            Carry(target, message);
        return false;
    }

    private void Carry(SimulatedManager target, Message message) => fabric.After(fabric.Delay(), () =>
    {
        // Its receiver is whoever lives there when it arrives.
        if (!fabric.IsCut(self.Number, target.Number) && target.Life is { } life)
            life.Peers.Deliver(message, new() { NodeId = self.Node, Address = self.Node.Value }, life.Host.Book);
        if (message.Kind == MessageKind.Snapshot)
            Tell(new PeerEvent.SnapshotSent(message.To, Arrived: true)); // it left; whether it came, the follower says
    });

    private void Deliver(Message message, ManagerPeer speaker, PeerBook book)
    {
        if (receive is not { } deliver)
            return;
        machine.Run(() =>
        {
            book.Heard(message.From, speaker);
            deliver(new PeerEvent.Received(message));
        });
    }

    private void Tell(PeerEvent news) => machine.Run(() => receive?.Invoke(news));
}
