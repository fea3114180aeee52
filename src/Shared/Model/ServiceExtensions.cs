using System.Text.Json.Serialization;

namespace Orchestrator.Shared.Model;

/// <summary>What a service wants that the Engine API has no field for.</summary>
/// <remarks>Stock clients drop it when they post a spec back: an update without it keeps the old one, an empty one takes it away.</remarks>
public sealed record ServiceExtension
{
    public IReadOnlyList<ServiceDependency> DependsOn { get; init => field = value ?? []; } = [];
}

/// <summary>A service that has to have got somewhere before the tasks of another one start.</summary>
public sealed record ServiceDependency
{
    /// <summary>The other service's name, as the cluster knows it.</summary>
    public string Service { get => field ?? ""; init; } = "";
    public DependencyCondition Condition { get; init; }
    /// <summary>When the other service was updated, this one's tasks are replaced too.</summary>
    public bool Restart { get; init; }
    /// <summary>Not waited for when it is not there or fails.</summary>
    public bool Optional { get; init; }
}

[JsonConverter(typeof(WordsAlone<DependencyCondition>))]
public enum DependencyCondition
{
    /// <summary>A container of it was started.</summary>
    [JsonStringEnumMemberName("service_started")] Started,

    /// <summary>A task of it runs; one with a health check runs when it is healthy.</summary>
    [JsonStringEnumMemberName("service_healthy")] Healthy,

    /// <summary>Every replica of it has ended well.</summary>
    [JsonStringEnumMemberName("service_completed_successfully")] Completed,
}
