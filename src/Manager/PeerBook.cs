using System.Collections.Concurrent;
using Orchestrator.Manager.Raft.Core;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Shared.Rpc;

namespace Orchestrator.Manager;

/// <summary>
/// Where the other managers are: by the state; by what this node was told, which is newer while its state lags; and by what they said
/// themselves when they spoke to it, so that one who leads is answered though nobody told of it yet.
/// </summary>
/// <param name="state">The state now.</param>
/// <param name="told">What the node keeps of managers.</param>
/// <param name="connect">Opens a connection to the manager at an address, which must be the node named if one is; null: this node is alone.</param>
/// <param name="time">The clock.</param>
internal sealed class PeerBook(Func<ClusterState> state, Func<IReadOnlyList<ManagerPeer>> told, Func<ManagerPeer, RpcConnect>? connect, TimeProvider time) : IDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<(RpcChannel Channel, IControl Control)>> controls = new(StringComparer.Ordinal);

    // One for each node: what it said last.
    private readonly ConcurrentDictionary<NodeId, ManagerPeer> heard = new();

    /// <summary>Every manager's address, as far as it is known.</summary>
    internal IReadOnlyList<ManagerPeer> All
    {
        get
        {
            var stored = ManagerPeers.Of(state());
            return [.. stored, .. told().Where(t => !stored.Any(s => s.Address == t.Address))];
        }
    }

    /// <summary>The manager whose number this is. One that was put out and taken in again is not the one that it was.</summary>
    internal ManagerPeer? Find(PeerId peer) => ManagerPeers.Of(state()).Concat(told()).Concat(heard.Values).FirstOrDefault(p => Is(p, peer));

    /// <summary>A manager spoke.</summary>
    /// <param name="peer">As which number.</param>
    /// <param name="speaker">Its node, by its certificate, and where it says that it answers.</param>
    internal void Heard(PeerId peer, ManagerPeer speaker) => heard[speaker.NodeId] = speaker with { Member = peer.Value };

    /// <summary>How Raft reaches a peer. A connection finds the address that holds when it is made.</summary>
    internal RpcChannelOptions? Reach(PeerId peer) =>
        connect is null || Find(peer) is null
            ? null
            : new()
            {
                Connect = stop => Find(peer) is { } now ? connect(now)(stop) : throw new IOException($"where manager {peer} answers is not known"),
                ConnectTimeout = TimeSpan.FromSeconds(2),
                KeepAlive = TimeSpan.FromSeconds(3),
                Time = time,
            };

    internal IControl? Control(PeerId peer) => Find(peer) is { } known ? Control(known.Address) : null;

    /// <summary>The control service at an address; connections are kept.</summary>
    internal IControl? Control(string address)
    {
        if (connect is not { } open || address.Length == 0)
            return null;
        return controls.GetOrAdd(address, at => new(() =>
        {
            var channel = new RpcChannel(new()
            {
                Connect = stop => open(All.FirstOrDefault(p => p.Address == at) ?? new() { NodeId = default, Address = at })(stop),
                ConnectTimeout = TimeSpan.FromSeconds(2),
                KeepAlive = TimeSpan.FromSeconds(3),
                Time = time,
            });
            return (channel, ControlRpc.Client(channel));
        })).Value.Control;
    }

    public void Dispose()
    {
        foreach (var control in controls.Values.Where(c => c.IsValueCreated))
            control.Value.Channel.Dispose();
        controls.Clear();
    }

    private static bool Is(ManagerPeer known, PeerId peer) =>
        known.NodeId.Value is { Length: > 0 } && MemberNumber.Of(known.NodeId, known.Member).Value == peer.Value;
}
