using System.Collections;
using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Orchestrator.Shared.Model;

/// <summary>The model's one JSON form: REST body, log entry and gRPC message alike.</summary>
/// <remarks>
/// The source-generated reader sets every <c>init</c> member, an absent one to its type's default, and so overwrites initialisers: a record
/// that has a default of its own gives it in the accessor (<c>get =&gt; field ?? …</c>).
/// </remarks>
public static class ModelJson
{
    /// <summary>Absent is the same as empty: nulls and empty collections are not written, unknown members are ignored on reading.</summary>
    public static JsonSerializerOptions Options { get; } = Make(new ModelTypes(), indented: false);

    /// <summary>The same, laid out for people.</summary>
    public static JsonSerializerOptions Indented => Laid.Out;

    /// <summary>The same rules for a room's own types, in which the model's are embedded.</summary>
    public static JsonSerializerOptions For(IJsonTypeInfoResolver room) => Make(room, indented: false);

    /// <summary>The serialiser's contract of a model type, for the typed overloads of <see cref="JsonSerializer"/>.</summary>
    public static JsonTypeInfo<T> Of<T>() => (JsonTypeInfo<T>)Options.GetTypeInfo(typeof(T));

    public static byte[] Write<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, Of<T>());

    /// <exception cref="JsonException">The text is not the JSON of a <typeparamref name="T"/>; the path is in the message.</exception>
    public static T Read<T>(ReadOnlySpan<byte> utf8) =>
        JsonSerializer.Deserialize(utf8, Of<T>()) ?? throw new JsonException($"expected a {typeof(T).Name}, not null");

    /// <summary>SHA-256 of the value's JSON, hex: equal content has an equal digest, since member order is fixed by the contract.</summary>
    public static string Digest<T>(T value) => Convert.ToHexStringLower(SHA256.HashData(Write(value)));

    private static JsonSerializerOptions Make(IJsonTypeInfoResolver types, bool indented)
    {
        var options = new JsonSerializerOptions
        {
            TypeInfoResolver = types.WithAddedModifier(SkipEmptyCollections),
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            PropertyNameCaseInsensitive = true,
            AllowTrailingCommas = false,
            Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
            WriteIndented = indented,
            IndentSize = 4,
            Converters = { new UtcTimeConverter() },
        };
        options.MakeReadOnly();
        return options;
    }

    /// <summary>Made on first use.</summary>
    private static class Laid
    {
        internal static readonly JsonSerializerOptions Out = Make(new ModelTypes(), indented: true);
    }

    /// <summary>
    /// The few types of short commands are looked for first: a context's generated look-up loads one type after the other until it finds the one
    /// that it was asked for, and the whole model's is loaded in milliseconds, not microseconds.
    /// </summary>
    private sealed class ModelTypes : IJsonTypeInfoResolver
    {
        public JsonTypeInfo? GetTypeInfo(Type type, JsonSerializerOptions options) =>
            ((IJsonTypeInfoResolver)ShortJsonContext.Default).GetTypeInfo(type, options) ?? Whole(type, options);

        private static JsonTypeInfo? Whole(Type type, JsonSerializerOptions options) => ((IJsonTypeInfoResolver)ModelJsonContext.Default).GetTypeInfo(type, options);
    }

    private static void SkipEmptyCollections(JsonTypeInfo type)
    {
        if (type.Kind != JsonTypeInfoKind.Object)
            return;
        foreach (var property in type.Properties)
        {
            if (property.PropertyType != typeof(string) && typeof(IEnumerable).IsAssignableFrom(property.PropertyType)
                && !property.IsRequired && property.Get is { } get)
            {
                property.ShouldSerialize = (owner, value) => value is IEnumerable items && (!IsEmpty(items) || IsNullMeaningful(owner, get));
            }
        }
    }

    private static bool IsEmpty(IEnumerable items)
    {
        if (items is ICollection { Count: 0 })
            return true;
        var enumerator = items.GetEnumerator();
        using var disposable = enumerator as IDisposable;
        return !enumerator.MoveNext();
    }

    /// <summary>An empty entrypoint or command is an order ("none"), not an absence; so is an empty list of networks to a node.</summary>
    private static bool IsNullMeaningful(object owner, Func<object, object?> get) => owner switch
    {
        ContainerConfig config => get(owner) is { } value && (ReferenceEquals(value, config.Entrypoint) || ReferenceEquals(value, config.Cmd)),
        Protocol.Assignments assignments => get(owner) is { } value && ReferenceEquals(value, assignments.Networks),
        _ => false,
    };
}

/// <summary>What people wait for at a prompt: exec, ps, wait, and every refusal.</summary>
[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(ExecCreateRequest))]
[JsonSerializable(typeof(ExecStartRequest))]
[JsonSerializable(typeof(ExecInspect))]
[JsonSerializable(typeof(ContainerCreateReply))]
[JsonSerializable(typeof(ContainerWaitReply))]
[JsonSerializable(typeof(ProblemsReply))]
[JsonSerializable(typeof(IReadOnlyList<ContainerSummary>))]
internal sealed partial class ShortJsonContext : JsonSerializerContext;

[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Metadata)]
[JsonSerializable(typeof(Swarm))]
[JsonSerializable(typeof(SwarmInitRequest))]
[JsonSerializable(typeof(SwarmJoinRequest))]
[JsonSerializable(typeof(SwarmUnlockRequest))]
[JsonSerializable(typeof(UnlockKeyReply))]
[JsonSerializable(typeof(SwarmSpec))]
[JsonSerializable(typeof(NodeSpec))]
[JsonSerializable(typeof(ServiceSpec))]
[JsonSerializable(typeof(Node))]
[JsonSerializable(typeof(IReadOnlyList<Node>))]
[JsonSerializable(typeof(Service))]
[JsonSerializable(typeof(IReadOnlyList<Service>))]
[JsonSerializable(typeof(ServiceUpdateReply))]
[JsonSerializable(typeof(ServiceTask))]
[JsonSerializable(typeof(Protocol.TaskLogsRequest))]
[JsonSerializable(typeof(IReadOnlyList<ServiceTask>))]
[JsonSerializable(typeof(Network))]
[JsonSerializable(typeof(IReadOnlyList<Network>))]
[JsonSerializable(typeof(NetworkCreateRequest))]
[JsonSerializable(typeof(NetworkCreateReply))]
[JsonSerializable(typeof(NetworkPruneReply))]
[JsonSerializable(typeof(StackSpec))]
[JsonSerializable(typeof(StackReply))]
[JsonSerializable(typeof(IReadOnlyList<StackSummary>))]
[JsonSerializable(typeof(ProblemsReply))]
[JsonSerializable(typeof(ErrorReply))]
[JsonSerializable(typeof(CreatedReply))]
[JsonSerializable(typeof(ContainerCreateRequest))]
[JsonSerializable(typeof(ContainerCreateReply))]
[JsonSerializable(typeof(ContainerInspect))]
[JsonSerializable(typeof(ContainerSummary))]
[JsonSerializable(typeof(IReadOnlyList<ContainerSummary>))]
[JsonSerializable(typeof(ContainerWaitReply))]
[JsonSerializable(typeof(ContainerTopReply))]
[JsonSerializable(typeof(ContainerStats))]
[JsonSerializable(typeof(ContainerUpdateRequest))]
[JsonSerializable(typeof(ContainerUpdateReply))]
[JsonSerializable(typeof(IReadOnlyList<FilesystemChange>))]
[JsonSerializable(typeof(ExecCreateRequest))]
[JsonSerializable(typeof(ExecStartRequest))]
[JsonSerializable(typeof(ExecInspect))]
[JsonSerializable(typeof(Volume))]
[JsonSerializable(typeof(VolumeCreateRequest))]
[JsonSerializable(typeof(VolumeListReply))]
[JsonSerializable(typeof(VolumePruneReply))]
[JsonSerializable(typeof(Secret))]
[JsonSerializable(typeof(SecretSpec))]
[JsonSerializable(typeof(IReadOnlyList<Secret>))]
[JsonSerializable(typeof(Config))]
[JsonSerializable(typeof(ConfigSpec))]
[JsonSerializable(typeof(IReadOnlyList<Config>))]
[JsonSerializable(typeof(ImageInspect))]
[JsonSerializable(typeof(IReadOnlyList<ImageSummary>))]
[JsonSerializable(typeof(IReadOnlyList<ImageDeleteItem>))]
[JsonSerializable(typeof(IReadOnlyList<ImageHistoryItem>))]
[JsonSerializable(typeof(VersionReply))]
[JsonSerializable(typeof(InfoReply))]
[JsonSerializable(typeof(EventMessage))]
[JsonSerializable(typeof(Dictionary<string, Dictionary<string, bool>>))]
[JsonSerializable(typeof(Dictionary<string, IReadOnlyList<string>>))]
[JsonSerializable(typeof(IReadOnlyList<string>))]
[JsonSerializable(typeof(Dictionary<string, string>))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(Protocol.RootRequest))]
[JsonSerializable(typeof(Protocol.RootReply))]
[JsonSerializable(typeof(Protocol.IssueRequest))]
[JsonSerializable(typeof(Protocol.RenewRequest))]
[JsonSerializable(typeof(Protocol.IssueReply))]
[JsonSerializable(typeof(Protocol.ConfirmRequest))]
[JsonSerializable(typeof(Protocol.ConfirmReply))]
[JsonSerializable(typeof(Protocol.SessionRequest))]
[JsonSerializable(typeof(Protocol.Assignments))]
[JsonSerializable(typeof(Protocol.HeartbeatRequest))]
[JsonSerializable(typeof(Protocol.HeartbeatReply))]
[JsonSerializable(typeof(Protocol.TaskStatusReport))]
[JsonSerializable(typeof(Protocol.TaskStatusReply))]
[JsonSerializable(typeof(Protocol.ProposeRequest))]
[JsonSerializable(typeof(Protocol.ProposeReply))]
[JsonSerializable(typeof(Protocol.AdmitRequest))]
[JsonSerializable(typeof(Protocol.AdmitReply))]
[JsonSerializable(typeof(Protocol.LeaveRequest))]
[JsonSerializable(typeof(Protocol.LeaveReply))]
internal sealed partial class ModelJsonContext : JsonSerializerContext;
