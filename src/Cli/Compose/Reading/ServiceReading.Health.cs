using Orchestrator.Cli.Compose.Syntax;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Model.Validation;

namespace Orchestrator.Cli.Compose.Reading;

/// <summary>The keys <c>healthcheck</c> and <c>depends_on</c>.</summary>
internal sealed partial class ServiceReading
{
    private HealthConfig? Healthcheck(MapReader body)
    {
        if (body.Map("healthcheck") is not { } map)
            return null;
        var disable = map.Flag("disable") ?? false;
        var test = Test(map);
        var check = new HealthConfig
        {
            Test = test,
            Interval = map.Duration("interval") ?? TimeSpan.Zero,
            Timeout = map.Duration("timeout") ?? TimeSpan.Zero,
            StartPeriod = map.Duration("start_period") ?? TimeSpan.Zero,
            StartInterval = map.Duration("start_interval") ?? TimeSpan.Zero,
            Retries = (int)Math.Min(map.Count("retries") ?? 0, int.MaxValue),
        };
        map.Close();
        if (disable && test.Count > 0)
            _problems.Add(map.PlaceOf("disable")!.Value, $"{map.Subject}: test and disable can't be set at the same time");
        if (disable)
            return new HealthConfig { Test = ["NONE"] };
        foreach (var problem in HealthValidation.Check(check, ""))
            _problems.Add(map.At, $"{map.Subject}: {problem.Message}");
        return check;
    }

    /// <summary>A text is for the shell.</summary>
    private static IReadOnlyList<string> Test(MapReader map) =>
        map.Take("test") is ScalarNode text ? ["CMD-SHELL", text.Text] : map.Texts("test");

    private List<ComposeDependency> DependsOn(MapReader body)
    {
        switch (body.Take("depends_on"))
        {
            case null:
                return [];
            case SequenceNode:
                return [.. body.ScalarOrScalars("depends_on").Select(s => new ComposeDependency(s.Text, s.At, DependencyCondition.Started, Restart: false, Required: true))];
            case MappingNode map:
                return [.. map.Entries.Select(e => Dependency(e, body))];
            case var node:
                body.Wrong(node, "depends_on", "a list or a mapping");
                return [];
        }
    }

    private ComposeDependency Dependency(MappingEntry need, MapReader body)
    {
        var started = new ComposeDependency(need.Key, need.At, DependencyCondition.Started, Restart: false, Required: true);
        if (need.Value is not MappingNode inner)
        {
            if (need.Value is not ScalarNode { IsNull: true })
                body.Wrong(need.Value, $"depends_on.{need.Key}", "a mapping");
            return started;
        }

        var map = new MapReader(inner, $"{body.Subject}.depends_on.{need.Key}", _problems);
        var read = started with
        {
            Condition = map.OneOf("condition", "service_started", "service_healthy", "service_completed_successfully") switch
            {
                "service_healthy" => DependencyCondition.Healthy,
                "service_completed_successfully" => DependencyCondition.Completed,
                _ => DependencyCondition.Started,
            },
            Restart = map.Flag("restart") ?? false,
            Required = map.Flag("required") ?? true,
        };
        map.Close();
        return read;
    }
}
