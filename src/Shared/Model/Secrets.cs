using System.Text.Json.Serialization;

namespace Orchestrator.Shared.Model;

/// <summary>What a secret or config is: its name, labels and bytes. A secret's bytes are never in an answer.</summary>
public abstract record PayloadSpec
{
    public string Name { get => field ?? ""; init; } = "";
    public IReadOnlyDictionary<string, string> Labels { get; init => field = value ?? Empty.Map; } = Empty.Map;
    /// <summary>Base64 in JSON; less than 500 KiB for a secret, than 1000 KiB for a config.</summary>
    public byte[]? Data { get; init; }
    /// <summary>Null, or <c>golang</c>: the data is a template that the task's host fills in.</summary>
    public LogDriver? Templating { get; init; }
}

public sealed record SecretSpec : PayloadSpec
{
    public LogDriver? Driver { get; init; }

    /// <summary>Names it without its bytes: what reaches a log must not hold them.</summary>
    public override string ToString() => $"secret {Name}";
}

public sealed record ConfigSpec : PayloadSpec
{
    public override string ToString() => $"config {Name}";
}

/// <summary>A secret or a config as the cluster keeps it. Its bytes never change: who wants others makes another one.</summary>
public abstract record StoredPayload
{
    [JsonPropertyName("ID")] public required string Id { get; init; }
    public ObjectVersion Version { get => field ?? new(0); init; } = new(0);
    public DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset UpdatedAt { get; init; }

    /// <summary>The spec, whichever of the two it is.</summary>
    [JsonIgnore] public abstract PayloadSpec Content { get; }

    /// <summary><c>secret</c> or <c>config</c>.</summary>
    [JsonIgnore] public abstract string Noun { get; }
}

public sealed record Secret : StoredPayload
{
    public required SecretSpec Spec { get; init; }
    [JsonIgnore] public override PayloadSpec Content => Spec;
    [JsonIgnore] public override string Noun => "secret";
    public override string ToString() => $"secret {Spec.Name} ({Id})";
}

public sealed record Config : StoredPayload
{
    public required ConfigSpec Spec { get; init; }
    [JsonIgnore] public override PayloadSpec Content => Spec;
    [JsonIgnore] public override string Noun => "config";
    public override string ToString() => $"config {Spec.Name} ({Id})";
}
