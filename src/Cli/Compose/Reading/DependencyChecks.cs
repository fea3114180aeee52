using Orchestrator.Cli.Compose.Syntax;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Model.Validation;

namespace Orchestrator.Cli.Compose.Reading;

/// <summary>What can be wrong with start orders only when all services are known.</summary>
internal static class DependencyChecks
{
    /// <param name="services">Those that are deployed.</param>
    /// <param name="leftOut">Those whose profiles nobody asked for.</param>
    /// <param name="problems">Gets what is wrong.</param>
    internal static void Check(IReadOnlyList<ComposeService> services, HashSet<string> leftOut, ProblemList problems)
    {
        var byName = services.ToDictionary(s => s.Name, StringComparer.Ordinal);
        foreach (var service in services)
        {
            foreach (var need in service.DependsOn)
                Check(service, need, byName, leftOut, problems);
        }

        var needs = services.ToDictionary(s => s.Name, IReadOnlyList<string> (s) => [.. s.DependsOn.Select(d => d.Service)], StringComparer.Ordinal);
        if (DependencyCircle.Find(needs) is { } circle)
        {
            var at = byName[circle[0]].DependsOn.First(d => d.Service == circle[1]).At;
            problems.Add(at, $"services wait for each other in a circle: {string.Join(" → ", circle)}");
        }
    }

    private static void Check(ComposeService service, ComposeDependency need, Dictionary<string, ComposeService> byName, HashSet<string> leftOut, ProblemList problems)
    {
        if (!byName.TryGetValue(need.Service, out var other))
        {
            var hint = Values.Spelling.Nearest(need.Service, byName.Keys) is { } near ? $", did you mean '{near}'?" : "";
            if (need.Required && leftOut.Contains(need.Service))
                problems.Add(need.At, $"services.{service.Name} depends on '{need.Service}', which is left out: COMPOSE_PROFILES names none of its profiles");
            else if (need.Required)
                problems.Add(need.At, $"services.{service.Name} depends on '{need.Service}', which the file does not declare{hint}");
        }
        else if (need.Condition == DependencyCondition.Completed && !other.Mode.IsJob && (other.RestartPolicy?.Condition ?? RestartCondition.Any) == RestartCondition.Any)
        {
            problems.Add(
                need.At,
                $"services.{service.Name} waits for '{need.Service}' to complete, which is started again whenever it ends: "
                + $"give {need.Service} deploy.restart_policy.condition 'none' or 'on-failure'");
        }
        else if (need.Condition == DependencyCondition.Healthy && other.Container.Healthcheck is { Test: ["NONE", ..] })
        {
            problems.Add(need.At, $"services.{service.Name} waits for '{need.Service}' to be healthy, whose health check is switched off");
        }
    }
}
