using Orchestrator.Manager.State.Apply;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Model.Validation;

namespace Orchestrator.Manager.State;

/// <summary>
/// What can be refused without the log: specs that are wrong whatever the state. Kept out of Apply, whose rules may never
/// change for entries that are already written; what the state makes of the rest is told along, so that the user sees all at once.
/// </summary>
internal static class Preflight
{
    internal static Refusal? Check(ClusterState state, Command command)
    {
        var problems = command switch
        {
            InitSwarm init => SwarmValidation.Check(init.Swarm),
            UpdateSwarm update => SwarmValidation.CheckSpec(update.Spec),
            CreateService create => ServiceSpecValidation.Check(create.Spec),
            UpdateService { Rollback: false } update => ServiceSpecValidation.Check(update.Spec),
            CreateSecret create => PayloadValidation.Check(create.Spec),
            CreateConfig create => PayloadValidation.Check(create.Spec),
            CreateNetwork create => NetworkValidation.Check(create.Spec),
            DeployStack deploy => Stack(deploy),
            _ => [],
        };
        if (problems.Count == 0)
            return null;
        var also = Applying.Run(state, state.Index + 1, command with { RequestId = null }).Outcome.Refusal?.Problems ?? [];
        return new(RefusalKind.Invalid, [.. problems, .. also]);
    }

    private static List<Problem> Stack(DeployStack deploy)
    {
        var problems = new List<Problem>();
        foreach (var network in deploy.Spec.Networks)
            problems.AddRange(NetworkValidation.Check(network).Select(p => p with { Where = $"networks.{network.Name}.{p.Where}" }));
        foreach (var payload in deploy.Spec.Secrets.Concat<PayloadSpec>(deploy.Spec.Configs))
        {
            var where = $"{(payload is SecretSpec ? "secrets" : "configs")}.{payload.Name}";
            problems.AddRange(PayloadValidation.Check(payload, dataNeeded: false).Select(p => p with { Where = $"{where}.{p.Where}" }));
        }

        foreach (var service in deploy.Spec.Services)
            problems.AddRange(ServiceSpecValidation.Check(service).Select(p => p with { Where = $"services.{service.Name}.{p.Where}" }));
        return problems;
    }
}
