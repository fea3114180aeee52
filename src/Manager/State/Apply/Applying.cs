using System.Collections.Immutable;
using System.Diagnostics;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.State.Apply;

/// <summary>What one entry made of the state.</summary>
internal sealed record Applied(ClusterState State, Outcome Outcome, ImmutableArray<ObjectChange> Changes);

/// <summary>The state machine: same state, index and command, same result, on every manager and in every replay.</summary>
internal static class Applying
{
    internal static Applied Run(ClusterState state, ulong index, Command command)
    {
        if (command.RequestId is { Length: > 0 } known && state.Requests.Outcomes.TryGetValue(known, out var earlier))
            return new(state with { Index = index }, earlier, []);

        var draft = new Draft(state, index, command.At);
        var stack = Step(draft, command);
        var refused = draft.Refused is { } kind;
        var outcome = new Outcome(index, draft.Refused is { } why ? new(why, [.. draft.Problems]) : null, refused ? null : stack);
        var next = refused ? state with { Index = index } : draft.Finish();
        if (command.RequestId is { Length: > 0 } id)
            next = next with { Requests = next.Requests.Remember(id, outcome) };
        return new(next, outcome, refused ? [] : [.. draft.Changes()]);
    }

    private static StackReply? Step(Draft draft, Command command)
    {
        if (draft.Swarm is null && command is not InitSwarm)
        {
            draft.Refuse(RefusalKind.Conflict, "this node is not part of a cluster: run \"orch swarm init\" first");
            return null;
        }

        switch (command)
        {
            case InitSwarm init: SwarmSteps.Init(draft, init); break;
            case UpdateSwarm update: SwarmSteps.Update(draft, update); break;
            case SetSecurity set: SwarmSteps.SetSecurity(draft, set); break;
            case UpdateNode update: NodeSteps.Update(draft, update); break;
            case RemoveNode remove: NodeSteps.Remove(draft, remove); break;
            case JoinNode join: NodeSteps.Join(draft, join); break;
            case RegisterNode register: NodeSteps.Register(draft, register); break;
            case SetNodeState set: NodeSteps.SetState(draft, set); break;
            case ConfirmNodeTls confirm: NodeSteps.ConfirmTls(draft, confirm); break;
            case SetManager set: NodeSteps.SetManager(draft, set); break;
            case LeaveNode leave: NodeSteps.Leave(draft, leave); break;
            case BeginAnew anew: NodeSteps.BeginAnew(draft, anew); break;
            case CreateService create: ServiceSteps.Create(draft, create); break;
            case UpdateService update: ServiceSteps.Update(draft, update); break;
            case RemoveService remove: ServiceSteps.Remove(draft, remove); break;
            case SetUpdateStatus set: ServiceSteps.SetUpdateStatus(draft, set); break;
            case RollBackService back: ServiceSteps.RollBack(draft, back); break;
            case SetServicePorts set: ServiceSteps.SetPorts(draft, set); break;
            case DeleteServices delete: ServiceSteps.Delete(draft, delete); break;
            case CreateNetwork create: NetworkSteps.Create(draft, create.Id, create.Spec); break;
            case RemoveNetwork remove: NetworkSteps.Remove(draft, remove); break;
            case AllocateNetwork allocate: NetworkSteps.Allocate(draft, allocate); break;
            case DeleteNetworks delete: NetworkSteps.Delete(draft, delete); break;
            case CreateTasks create: TaskSteps.Create(draft, create); break;
            case SetDesiredStates set: TaskSteps.SetDesired(draft, set); break;
            case AttachTasks attach: TaskSteps.Attach(draft, attach); break;
            case PlaceTasks place: TaskSteps.Place(draft, place); break;
            case ExplainTasks explain: TaskSteps.Explain(draft, explain); break;
            case DeleteTasks delete: TaskSteps.Delete(draft, delete); break;
            case ReportTasks report: TaskSteps.Report(draft, report); break;
            case CreateSecret create: PayloadSteps.Create(draft, new Secret { Id = create.Id, Spec = create.Spec }, ""); break;
            case UpdateSecret update: PayloadSteps.Update(draft, PayloadSteps.Secrets(draft), update.Id, update.Version, update.Spec); break;
            case RemoveSecret remove: PayloadSteps.Remove(draft, PayloadSteps.Secrets(draft), remove.Id); break;
            case CreateConfig create: PayloadSteps.Create(draft, new Config { Id = create.Id, Spec = create.Spec }, ""); break;
            case UpdateConfigLabels update: PayloadSteps.Update(draft, PayloadSteps.Configs(draft), update.Id, update.Version, update.Spec); break;
            case RemoveConfig remove: PayloadSteps.Remove(draft, PayloadSteps.Configs(draft), remove.Id); break;
            case DeployStack deploy: return StackSteps.Deploy(draft, deploy);
            case Turn turn:
                foreach (var step in turn.Steps)
                    Step(draft, step);
                break;
            default: throw new UnreachableException($"no step for a {command.GetType().Name}");
        }

        return null;
    }
}
