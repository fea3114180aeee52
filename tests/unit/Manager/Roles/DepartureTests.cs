using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Manager.Roles;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Shared.Rpc;

namespace Orchestrator.Tests.Unit.Manager.Roles;

public sealed class DepartureTests
{
    private static readonly NodeId Self = new("self");
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_hand_over_that_fails_is_tried_again_before_the_manager_goes_for_good()
    {
        var managers = new Managers { Refusals = 2 };
        var control = new Control();
        await Going(managers, control).ForGoodAsync(Patience, TestContext.Current.CancellationToken);
        Assert.Equal((3, 1), (managers.Asked, control.Farewells));
    }

    [Fact]
    public async Task Nobody_who_could_lead_is_told_when_patience_ends()
    {
        var managers = new Managers { Refusals = int.MaxValue };
        var control = new Control();
        var unheard = await Assert.ThrowsAsync<RpcException>(() => Going(managers, control).ForGoodAsync(TimeSpan.FromMilliseconds(300), TestContext.Current.CancellationToken));
        Assert.Equal(("nobody takes it", 0), (unheard.Detail, control.Farewells));
    }

    private static Departure Going(Managers managers, Control control) => new(
        Self, managers, new ControlCaller(() => [new ManagerPeer { Address = "there:2377" }], _ => control, TimeProvider.System), TimeProvider.System, NullLogger.Instance);

    private sealed class Managers : IManagers
    {
        internal int Refusals { get; init; }

        internal int Asked { get; private set; }

        public ManagersView View => new(Self, Asked > Refusals ? null : Self, []);

        public Task AddAsync(MemberKey member, CancellationToken stop) => throw new InvalidOperationException("nobody comes");

        public Task RemoveAsync(MemberKey member, CancellationToken stop) => throw new InvalidOperationException("the leader does that");

        public Task HandOverAsync(CancellationToken stop) => ++Asked > Refusals ? Task.CompletedTask : throw new ManagersException("nobody takes it");
    }

    private sealed class Control : IControl
    {
        internal int Farewells { get; private set; }

        public Task<ProposeReply> ProposeAsync(ProposeRequest request, CancellationToken stop) => throw new InvalidOperationException("nothing is written");

        public Task<AdmitReply> AdmitAsync(AdmitRequest request, CancellationToken stop) => throw new InvalidOperationException("nobody comes");

        public Task<LeaveReply> LeaveAsync(LeaveRequest request, CancellationToken stop)
        {
            Assert.Equal(Self, request.NodeId);
            Farewells++;
            return Task.FromResult(new LeaveReply());
        }
    }
}
