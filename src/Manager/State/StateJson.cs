using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.State;

/// <summary>The JSON of log entries and snapshots, by the model's own rules.</summary>
internal static class StateJson
{
    private static readonly JsonSerializerOptions Options = ModelJson.For(StateJsonContext.Default);

    internal static JsonTypeInfo<Command> Command { get; } = (JsonTypeInfo<Command>)Options.GetTypeInfo(typeof(Command));
    internal static JsonTypeInfo<SnapshotRecord> Record { get; } = (JsonTypeInfo<SnapshotRecord>)Options.GetTypeInfo(typeof(SnapshotRecord));
    internal static JsonTypeInfo<Outcome> Outcome { get; } = (JsonTypeInfo<Outcome>)Options.GetTypeInfo(typeof(Outcome));
    internal static JsonTypeInfo<TaskSpec> TaskSpec { get; } = (JsonTypeInfo<TaskSpec>)Options.GetTypeInfo(typeof(TaskSpec));
    internal static JsonTypeInfo<ServiceSpec> ServiceSpec { get; } = (JsonTypeInfo<ServiceSpec>)Options.GetTypeInfo(typeof(ServiceSpec));

    /// <summary>Whether two values of a spec say the same.</summary>
    internal static bool Same<T>(T a, T b, JsonTypeInfo<T> type) where T : class =>
        ReferenceEquals(a, b) || JsonSerializer.SerializeToUtf8Bytes(a, type).AsSpan().SequenceEqual(JsonSerializer.SerializeToUtf8Bytes(b, type));
}

[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(Command))]
[JsonSerializable(typeof(SnapshotRecord))]
[JsonSerializable(typeof(Outcome))]
internal sealed partial class StateJsonContext : JsonSerializerContext;
