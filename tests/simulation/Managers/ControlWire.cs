using Orchestrator.Shared.Protocol;

namespace Orchestrator.Tests.Simulation.Managers;

/// <summary>A manager's way to another one's control service.</summary>
internal sealed class ControlWire(Calls calls, SimulatedManager self, SimulatedManager to) : IControl
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>To whichever of them leads.</summary>
    internal static ControlCaller Caller(Calls calls, SimulatedManager self, IReadOnlyList<SimulatedManager> managers, TimeProvider time) => new(
        () => [.. managers.Where(m => m != self).Select(m => new ManagerPeer { NodeId = m.Node, Address = m.Node.Value })],
        address => managers.FirstOrDefault(m => m.Node.Value == address) is { } to ? new ControlWire(calls, self, to) : null,
        time);

    public Task<ProposeReply> ProposeAsync(ProposeRequest request, CancellationToken stop) =>
        calls.CallAsync(self.Number, to, (host, end) => host.ControlFor(self.Node).ProposeAsync(request, end), Patience, stop);

    public Task<AdmitReply> AdmitAsync(AdmitRequest request, CancellationToken stop) =>
        calls.CallAsync(self.Number, to, (host, end) => host.ControlFor(self.Node).AdmitAsync(request, end), Patience, stop);

    public Task<LeaveReply> LeaveAsync(LeaveRequest request, CancellationToken stop) =>
        calls.CallAsync(self.Number, to, (host, end) => host.ControlFor(self.Node).LeaveAsync(request, end), Patience, stop);
}
