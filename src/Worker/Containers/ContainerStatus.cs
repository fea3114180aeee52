using System.Text.Json.Serialization;

namespace Orchestrator.Worker.Containers;

/// <summary>Where a container is in its life, in Docker's words.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ContainerStatus>))]
internal enum ContainerStatus
{
    [JsonStringEnumMemberName("created")] Created,
    [JsonStringEnumMemberName("running")] Running,
    [JsonStringEnumMemberName("restarting")] Restarting,
    [JsonStringEnumMemberName("exited")] Exited,
    [JsonStringEnumMemberName("removing")] Removing,

    /// <summary>Its removal failed; what is left is tried again at the next removal or daemon start.</summary>
    [JsonStringEnumMemberName("dead")] Dead,
}
