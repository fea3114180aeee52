using Orchestrator.Shared.Model;
using Orchestrator.Shared.Model.Validation;

namespace Orchestrator.Manager.State.Apply;

/// <summary>Whom a service waits for has to be there, to be able to get there, and not to wait for the service itself.</summary>
internal static class DependencySteps
{
    /// <summary>The service's new spec is in the draft already.</summary>
    internal static void Refuse(Draft draft, ServiceSpec spec, string where)
    {
        if (spec.Orch is not { } extension)
            return;
        var field = where.Length == 0 ? "Orch.DependsOn" : where + ".Orch.DependsOn";
        foreach (var need in extension.DependsOn)
        {
            var other = draft.Services.Values.FirstOrDefault(s => !s.PendingDelete && s.Spec.Name == need.Service);
            if (other is null && !need.Optional)
                draft.Refuse(RefusalKind.Invalid, $"service {spec.Name} depends on {need.Service}, which does not exist", field);
            if (other is not null && need.Condition == DependencyCondition.Completed && !other.Spec.Mode.IsJob
                && (other.Spec.TaskTemplate.RestartPolicy?.Condition ?? RestartCondition.Any) == RestartCondition.Any)
            {
                draft.Refuse(
                    RefusalKind.Invalid,
                    $"service {spec.Name} waits for {need.Service} to complete, which is started again whenever it ends: give it the restart condition none or on-failure",
                    field);
            }
        }

        var needs = draft.Services.Values.Where(s => !s.PendingDelete && s.Spec.Orch is not null).GroupBy(s => s.Spec.Name, StringComparer.Ordinal)
            .ToDictionary(g => g.Key, IReadOnlyList<string> (g) => [.. g.First().Spec.Orch!.DependsOn.Select(d => d.Service)], StringComparer.Ordinal);
        if (DependencyCircle.Find(needs) is { } circle && circle.Contains(spec.Name))
            draft.Refuse(RefusalKind.Invalid, $"services wait for each other in a circle: {string.Join(" → ", circle)}", field);
    }
}
