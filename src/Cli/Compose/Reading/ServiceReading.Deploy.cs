using System.Globalization;
using Orchestrator.Cli.Compose.Syntax;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Compose.Reading;

/// <summary>The key <c>deploy</c>, and the keys of compose without a cluster that stand in for it.</summary>
internal sealed partial class ServiceReading
{
    private sealed record Deploy
    {
        internal ServiceMode Mode { get; init; } = new();
        internal Dictionary<string, string> Labels { get; init; } = [];
        internal ResourceRequirements? Resources { get; init; }
        internal RestartPolicy? RestartPolicy { get; init; }
        internal Placement? Placement { get; init; }
        internal UpdateConfig? UpdateConfig { get; init; }
        internal UpdateConfig? RollbackConfig { get; init; }
        internal string? EndpointMode { get; init; }
    }

    private Deploy ReadDeploy(MapReader body)
    {
        var restart = Restart(body);
        var (memory, reservation, cpus, pids) = (body.Bytes("mem_limit"), body.Bytes("mem_reservation"), body.Cpus("cpus"), body.Whole("pids_limit"));
        var scale = body.Count("scale");
        var map = body.Map("deploy");
        var (limits, reservations) = map?.Map("resources") is { } resources ? ReadResources(resources) : (null, null);
        limits = Fill(limits, new ResourceAmounts { MemoryBytes = memory ?? 0, NanoCpus = cpus ?? 0, Pids = pids is > 0 ? pids.Value : 0 });
        reservations = Fill(reservations, new ResourceAmounts { MemoryBytes = reservation ?? 0 });
        CheckAmounts(body, limits, reservations);
        var deploy = new Deploy
        {
            Mode = Mode(map, scale),
            Labels = map?.Labels("labels") ?? [],
            Resources = limits is null && reservations is null ? null : new ResourceRequirements { Limits = limits, Reservations = reservations },
            RestartPolicy = map?.Map("restart_policy") is { } policy ? ReadRestart(policy) : restart,
            Placement = map?.Map("placement") is { } placement ? ReadPlacement(placement) : null,
            UpdateConfig = map?.Map("update_config") is { } update ? ReadUpdate(update, "pause", "continue", "rollback") : null,
            RollbackConfig = map?.Map("rollback_config") is { } rollback ? ReadUpdate(rollback, "pause", "continue") : null,
            EndpointMode = map?.OneOf("endpoint_mode", "vip", "dnsrr"),
        };
        foreach (var key in deploy.Mode.IsJob ? new[] { "update_config", "rollback_config" } : [])
            map?.Refuse(key, "cannot be set for a job: what is changed is run anew as a whole");
        map?.Close();
        return deploy;
    }

    private ServiceMode Mode(MapReader? map, ulong? scale)
    {
        var mode = map?.OneOf("mode", "replicated", "global", "replicated-job", "global-job");
        var replicas = map?.Count("replicas") ?? scale;
        switch (mode)
        {
            case "global":
                if (replicas is not null)
                    _problems.Add(map!.PlaceOf("replicas") ?? map.At, $"{map.Subject}.replicas cannot be set in mode global: every node runs one");
                return new ServiceMode { Global = new GlobalMode() };
            case "global-job":
                if (replicas is not null)
                    _problems.Add(map!.PlaceOf("replicas") ?? map.At, $"{map.Subject}.replicas cannot be set in mode global-job: every node runs one");
                return new ServiceMode { GlobalJob = new GlobalMode() };
            case "replicated-job":
                return new ServiceMode { ReplicatedJob = new ReplicatedJobMode { MaxConcurrent = replicas ?? 1, TotalCompletions = replicas ?? 1 } };
            default:
                return new ServiceMode { Replicated = new ReplicatedMode { Replicas = replicas } };
        }
    }

    private (ResourceAmounts?, ResourceAmounts?) ReadResources(MapReader map)
    {
        ResourceAmounts? limits = null, reservations = null;
        if (map.Map("limits") is { } most)
        {
            limits = new ResourceAmounts { NanoCpus = most.Cpus("cpus") ?? 0, MemoryBytes = most.Bytes("memory") ?? 0, Pids = most.Whole("pids") ?? 0 };
            most.Close();
        }
        if (map.Map("reservations") is { } least)
        {
            reservations = new ResourceAmounts { NanoCpus = least.Cpus("cpus") ?? 0, MemoryBytes = least.Bytes("memory") ?? 0 };
            least.Refuse("devices", "does not work yet: a service cannot have devices of its host");
            least.Refuse("generic_resources", "does not work yet");
            least.Close();
        }
        map.Close();
        return (limits, reservations);
    }

    private static ResourceAmounts? Fill(ResourceAmounts? given, ResourceAmounts otherwise)
    {
        var filled = (given ?? new()) with
        {
            NanoCpus = given is { NanoCpus: > 0 } ? given.NanoCpus : otherwise.NanoCpus,
            MemoryBytes = given is { MemoryBytes: > 0 } ? given.MemoryBytes : otherwise.MemoryBytes,
            Pids = given is { Pids: > 0 } ? given.Pids : otherwise.Pids,
        };
        return filled is { NanoCpus: 0, MemoryBytes: 0, Pids: 0 } ? null : filled;
    }

    private void CheckAmounts(MapReader body, ResourceAmounts? limits, ResourceAmounts? reservations)
    {
        var at = body.PlaceOf("deploy") ?? entry.At;
        if (limits is { MemoryBytes: > 0 } && reservations?.MemoryBytes > limits.MemoryBytes)
            _problems.Add(at, $"{body.Subject} reserves more memory than its limit");
        if (limits is { NanoCpus: > 0 } && reservations?.NanoCpus > limits.NanoCpus)
            _problems.Add(at, $"{body.Subject} reserves more CPU than its limit");
    }

    private static RestartPolicy ReadRestart(MapReader map)
    {
        var policy = new RestartPolicy
        {
            Condition = map.OneOf("condition", "none", "on-failure", "any") switch
            {
                "none" => RestartCondition.None,
                "on-failure" => RestartCondition.OnFailure,
                _ => RestartCondition.Any,
            },
            Delay = map.Duration("delay"),
            MaxAttempts = map.Count("max_attempts"),
            Window = map.Duration("window"),
        };
        map.Close();
        return policy;
    }

    /// <summary>Compose's own <c>restart</c>: <c>no</c>, <c>always</c>, <c>unless-stopped</c>, <c>on-failure[:N]</c>.</summary>
    private RestartPolicy? Restart(MapReader body)
    {
        if (body.TextOrNumber("restart") is not { } text)
            return null;
        switch (text)
        {
            case "no" or "false":
                return new RestartPolicy { Condition = RestartCondition.None };
            case "always" or "unless-stopped":
                return new RestartPolicy { Condition = RestartCondition.Any };
            case "on-failure":
                return new RestartPolicy { Condition = RestartCondition.OnFailure };
            default:
                if (text.StartsWith("on-failure:", StringComparison.Ordinal)
                    && ulong.TryParse(text[11..], NumberStyles.None, CultureInfo.InvariantCulture, out var attempts))
                {
                    return new RestartPolicy { Condition = RestartCondition.OnFailure, MaxAttempts = attempts };
                }
                _problems.Add(body.Take("restart")!.At,
                    $"{body.Subject}.restart is '{text}', which is none of no, always, unless-stopped, on-failure, on-failure:N");
                return null;
        }
    }

    private Placement ReadPlacement(MapReader map)
    {
        foreach (var constraint in map.Items("constraints").OfType<ScalarNode>())
        {
            if (!constraint.Text.Contains("==", StringComparison.Ordinal) && !constraint.Text.Contains("!=", StringComparison.Ordinal))
                _problems.Add(constraint.At, $"{map.Subject}.constraints: '{constraint.Text}' is neither KEY==VALUE nor KEY!=VALUE");
        }
        var preferences = new List<PlacementPreference>();
        foreach (var item in map.Items("preferences"))
        {
            if (item is not MappingNode preference)
            {
                map.Wrong(item, "preferences", "a list of 'spread: KEY'");
                continue;
            }
            var reader = new MapReader(preference, $"{map.Subject}.preferences", _problems);
            if (reader.Text("spread") is { } key)
                preferences.Add(new PlacementPreference { Spread = new SpreadOver { SpreadDescriptor = key } });
            reader.Close();
        }
        var placement = new Placement
        {
            Constraints = map.Texts("constraints"),
            Preferences = preferences,
            MaxReplicas = map.Count("max_replicas_per_node") ?? 0,
        };
        map.Close();
        return placement;
    }

    private static UpdateConfig ReadUpdate(MapReader map, params ReadOnlySpan<string> failureActions)
    {
        var update = new UpdateConfig
        {
            Parallelism = map.Count("parallelism") ?? 1,
            Delay = map.Duration("delay") ?? TimeSpan.Zero,
            FailureAction = map.OneOf("failure_action", failureActions),
            Monitor = map.Duration("monitor") ?? TimeSpan.Zero,
            MaxFailureRatio = map.Ratio("max_failure_ratio") ?? 0,
            Order = map.OneOf("order", "stop-first", "start-first"),
        };
        map.Close();
        return update;
    }
}
