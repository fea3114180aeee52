using System.Collections.Concurrent;
using Orchestrator.Manager.Raft.Core;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Protocol;
using Orchestrator.Shared.Rpc;

namespace Orchestrator.Manager;

/// <summary>Where the other managers are: by the state, and by what this node was told before it had one.</summary>
/// <param name="state">The state now.</param>
/// <param name="told">What the node keeps of managers.</param>
/// <param name="connect">Opens a connection to the manager at an address, which must be the node named if one is; null: this node is alone.</param>
/// <param name="time">The clock.</param>
internal sealed class PeerBook(Func<ClusterState> state, Func<IReadOnlyList<ManagerPeer>> told, Func<ManagerPeer, RpcConnect>? connect, TimeProvider time) : IDisposable
{
    private readonly ConcurrentDictionary<string, Lazy<(RpcChannel Channel, IControl Control)>> controls = new(StringComparer.Ordinal);

    /// <summary>Every manager's address, as far as it is known.</summary>
    internal IReadOnlyList<ManagerPeer> All
    {
        get
        {
            var stored = state().Nodes.Values.Where(n => n.ManagerStatus is { Addr.Length: > 0 })
                .Select(n => new ManagerPeer { NodeId = n.Id, Address = n.ManagerStatus!.Addr }).ToList();
            return stored.Count > 0 ? stored : told();
        }
    }

    internal ManagerPeer? Find(PeerId peer) => All.FirstOrDefault(p => p.NodeId.Value is { Length: > 0 } && RaftManagers.PeerOf(p.NodeId) == peer);

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
}
