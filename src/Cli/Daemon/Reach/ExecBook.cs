using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Daemon.Reach;

/// <summary>On which node the execs are that were made through this manager: the newest some thousands. Who forgot one can ask.</summary>
internal sealed class ExecBook
{
    private const int Most = 4096;

    private readonly Lock _guard = new();
    private readonly Dictionary<string, NodeId> _nodes = new(StringComparer.Ordinal);
    private readonly Queue<string> _order = new();

    internal void Note(string exec, NodeId node)
    {
        lock (_guard)
        {
            if (!_nodes.TryAdd(exec, node))
                return;
            _order.Enqueue(exec);
            if (_order.Count > Most)
                _nodes.Remove(_order.Dequeue());
        }
    }

    internal NodeId? Find(string exec)
    {
        lock (_guard)
            return _nodes.TryGetValue(exec, out var node) ? node : null;
    }
}
