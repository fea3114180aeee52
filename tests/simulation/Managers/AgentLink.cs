using System.Runtime.CompilerServices;
using Orchestrator.Shared.Protocol;
using Orchestrator.Shared.Rpc;

namespace Orchestrator.Tests.Simulation.Managers;

/// <summary>A worker's way to whoever leads: it asks one manager after the other until one has a session for it.</summary>
/// <param name="place">The worker's own.</param>
internal sealed class AgentLink(Calls calls, int place, IReadOnlyList<SimulatedManager> managers, Oracle oracle) : IDispatcher
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private int current;

    private SimulatedManager Manager => managers[current % managers.Count];

    public async IAsyncEnumerable<Assignments> SessionAsync(SessionRequest request, [EnumeratorCancellation] CancellationToken stop)
    {
        var manager = Manager;
        await using var messages = calls
            .StreamAsync(place, manager, (host, end) => host.Dispatcher.SessionAsync(request, end), life => oracle.Assigned(manager, life), stop)
            .GetAsyncEnumerator(stop);
        while (true)
        {
            try
            {
                if (!await messages.MoveNextAsync())
                    yield break;
            }
            catch (RpcException failure)
            {
                oracle.Note($"{request.NodeId} has no session with {manager.Node}: {failure.Message}");
                current++;
                throw;
            }

            yield return messages.Current;
        }
    }

    public Task<HeartbeatReply> HeartbeatAsync(HeartbeatRequest request, CancellationToken stop) =>
        calls.CallAsync(place, Manager, (host, end) => host.Dispatcher.HeartbeatAsync(request, end), Patience, stop);

    public Task<TaskStatusReply> ReportAsync(TaskStatusReport report, CancellationToken stop) =>
        calls.CallAsync(place, Manager, (host, end) => host.Dispatcher.ReportAsync(report, end), Patience, stop);
}
