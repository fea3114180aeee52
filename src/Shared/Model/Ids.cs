using System.Text.Json;
using System.Text.Json.Serialization;

namespace Orchestrator.Shared.Model;

/// <summary>An opaque identifier: on the wire a plain JSON string.</summary>
public interface IIdentifier<TSelf> where TSelf : struct, IIdentifier<TSelf>
{
    /// <summary>The text as it stands in JSON and in tables.</summary>
    string Value { get; }

    /// <summary>Takes the text as it is; identifiers are never normalised.</summary>
    static abstract TSelf From(string value);
}

/// <summary>Identifies a service: 25 characters of base 36, as Swarm's.</summary>
[JsonConverter(typeof(IdConverter<ServiceId>))]
public readonly record struct ServiceId(string Value) : IIdentifier<ServiceId>, IComparable<ServiceId>
{
    public static ServiceId From(string value) => new(value);
    public int CompareTo(ServiceId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

/// <summary>Identifies a task: 25 characters of base 36, as Swarm's.</summary>
[JsonConverter(typeof(IdConverter<TaskId>))]
public readonly record struct TaskId(string Value) : IIdentifier<TaskId>, IComparable<TaskId>
{
    public static TaskId From(string value) => new(value);
    public int CompareTo(TaskId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

/// <summary>Identifies a node of the cluster: 25 characters of base 36, as Swarm's.</summary>
[JsonConverter(typeof(IdConverter<NodeId>))]
public readonly record struct NodeId(string Value) : IIdentifier<NodeId>, IComparable<NodeId>
{
    public static NodeId From(string value) => new(value);
    public int CompareTo(NodeId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

/// <summary>Identifies a network: 25 characters of base 36 in a cluster, 64 hex digits on one host.</summary>
[JsonConverter(typeof(IdConverter<NetworkId>))]
public readonly record struct NetworkId(string Value) : IIdentifier<NetworkId>, IComparable<NetworkId>
{
    public static NetworkId From(string value) => new(value);
    public int CompareTo(NetworkId other) => string.CompareOrdinal(Value, other.Value);
    public override string ToString() => Value;
}

/// <summary>Reads and writes an identifier as a JSON string, as a value and as a property name.</summary>
public sealed class IdConverter<T> : JsonConverter<T> where T : struct, IIdentifier<T>
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        T.From(reader.GetString() ?? "");

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.Value ?? "");

    public override T ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        T.From(reader.GetString() ?? "");

    public override void WriteAsPropertyName(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
        writer.WritePropertyName(value.Value ?? "");
}
