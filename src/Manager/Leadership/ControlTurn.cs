using System.Collections.Immutable;
using Orchestrator.Manager.Allocation;
using Orchestrator.Manager.Orchestration.Drains;
using Orchestrator.Manager.Orchestration.Global;
using Orchestrator.Manager.Orchestration.Jobs;
using Orchestrator.Manager.Orchestration.Reaping;
using Orchestrator.Manager.Orchestration.Replicated;
using Orchestrator.Manager.Orchestration.Restarts;
using Orchestrator.Manager.Orchestration.Updates;
using Orchestrator.Manager.Scheduling;
using Orchestrator.Manager.State;
using Orchestrator.Manager.State.Apply;

namespace Orchestrator.Manager.Leadership;

/// <summary>
/// One turn of the control plane: every room plans on the state as the rooms before it will have left it, which Apply, being
/// a function, tells at once. So thirty replicas are made, addressed and placed in one log entry.
/// </summary>
internal static class ControlTurn
{
    private delegate Decision Room(ClusterState state, DateTimeOffset now, IdSource ids);

    /// <summary>What ends is retired before it is counted, counted before it is replaced; addresses come before places.</summary>
    private static readonly ImmutableArray<Room> Rooms =
    [
        RestartPlan.Plan,
        DrainPlan.Plan,
        ReplicaPlan.Plan,
        GlobalPlan.Plan,
        JobPlan.Plan,
        UpdatePlan.Plan,
        (state, now, _) => StartPlan.Plan(state, now),
        (state, now, _) => ReapPlan.Plan(state, now),
        (state, now, _) => NetworkPlan.Plan(state, now),
        (state, now, _) => PortPlan.Plan(state, now),
        (state, now, _) => AddressPlan.Plan(state, now),
        (state, now, _) => SchedulePlan.Plan(state, now),
    ];

    internal static Decision Plan(ClusterState state, DateTimeOffset now, IdSource ids)
    {
        if (state.Swarm is null)
            return Decision.Nothing;
        var steps = new List<Command>();
        DateTimeOffset? wake = null;
        foreach (var room in Rooms)
        {
            var decision = room(state, now, ids);
            wake = Decision.Earlier(wake, decision.WakeAt);
            foreach (var command in decision.Commands)
            {
                // A command without effect is not worth an entry, and would be planned again and again.
                var applied = Applying.Run(state, state.Index + 1, command);
                if (applied.Changes.IsEmpty && applied.State.LeavingNetworks == state.LeavingNetworks)
                    continue;
                state = applied.State with { Index = state.Index };
                steps.Add(command);
            }
        }

        return new(steps, wake);
    }
}
