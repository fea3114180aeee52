using System.Runtime.CompilerServices;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Shared.Rpc;
using Orchestrator.Shared.Security;

namespace Orchestrator.Cli.Daemon.Reach;

/// <summary>Logs of the cluster's tasks: of this host's from its own containers, of the others' from the nodes that run them.</summary>
/// <param name="self">This node.</param>
/// <param name="own">The logs of its tasks.</param>
/// <param name="links">To the other nodes.</param>
/// <param name="cluster">Where they are.</param>
/// <param name="time">The clock.</param>
internal sealed class ReachTaskLogs(NodeId self, ITaskLogs own, NodeLinks links, ICluster cluster, TimeProvider time) : ITaskLogs
{
    private readonly Lock _guard = new();
    private readonly Dictionary<NodeId, Lent> _channels = [];

    public async IAsyncEnumerable<LogRecord> ReadAsync(ServiceTask task, LogQuery query, [EnumeratorCancellation] CancellationToken stop)
    {
        if (task.NodeId == self)
        {
            await foreach (var record in own.ReadAsync(task, query, stop))
                yield return record;
            yield break;
        }

        using var channel = Borrow(task.NodeId);
        await using var records = TaskLogsRpc.Client(channel.Rpc).ReadAsync(task, query, stop).GetAsyncEnumerator(stop);
        while (await NextAsync(records, task.NodeId))
            yield return records.Current;
    }

    private async Task<bool> NextAsync(IAsyncEnumerator<LogRecord> records, NodeId node)
    {
        try
        {
            return await records.MoveNextAsync();
        }
        catch (RpcException failure)
        {
            // The node's own word about the log, or none from the node.
            throw failure.Status == RpcStatus.FailedPrecondition
                ? new InvalidOperationException(failure.Detail, failure)
                : new NodeSilentException($"{NodeLinks.Words(cluster.Current, node)} is not available: {failure.Detail}", failure);
        }
    }

    /// <summary>One connection to a node for all of its tasks that are read at a time; it ends with the last.</summary>
    private Borrowed Borrow(NodeId node)
    {
        lock (_guard)
        {
            if (!_channels.TryGetValue(node, out var shared))
            {
                _channels[node] = shared = new(new RpcChannel(new()
                {
                    Connect = stop => links.To(cluster.Current, node, MutualTls.Http2)(stop),
                    ConnectTimeout = NodeLinks.Patience,
                    KeepAlive = TimeSpan.FromSeconds(3),
                    Time = time,
                }));
            }

            shared.Readers++;
            return new(this, node, shared.Rpc);
        }
    }

    private void Return(NodeId node)
    {
        lock (_guard)
        {
            if (_channels[node] is var shared && --shared.Readers > 0)
                return;
            _channels.Remove(node);
            shared.Rpc.Dispose();
        }
    }

    private sealed class Lent(RpcChannel rpc)
    {
        internal RpcChannel Rpc => rpc;

        internal int Readers { get; set; }
    }

    private readonly struct Borrowed(ReachTaskLogs from, NodeId node, RpcChannel rpc) : IDisposable
    {
        internal RpcChannel Rpc => rpc;

        public void Dispose() => from.Return(node);
    }
}
