using System.Text.Json.Serialization;

namespace Orchestrator.Shared.Model;

/// <summary>Body of <c>POST /containers/{id}/exec</c>.</summary>
public sealed record ExecCreateRequest
{
    public bool AttachStdin { get; init; }
    public bool AttachStdout { get; init; }
    public bool AttachStderr { get; init; }
    public string? DetachKeys { get; init; }
    public bool Tty { get; init; }
    /// <summary>Rows and columns.</summary>
    public IReadOnlyList<int> ConsoleSize { get; init => field = value ?? []; } = [];
    public IReadOnlyList<string> Env { get; init => field = value ?? []; } = [];
    public IReadOnlyList<string> Cmd { get; init => field = value ?? []; } = [];
    public bool Privileged { get; init; }
    public string? User { get; init; }
    public string? WorkingDir { get; init; }
}

/// <summary>Body of <c>POST /exec/{id}/start</c>.</summary>
public sealed record ExecStartRequest
{
    public bool Detach { get; init; }
    public bool Tty { get; init; }
    public IReadOnlyList<int> ConsoleSize { get; init => field = value ?? []; } = [];
}

/// <summary>Answer of <c>GET /exec/{id}/json</c>.</summary>
public sealed record ExecInspect
{
    [JsonPropertyName("ID")] public required string Id { get; init; }
    public bool Running { get; init; }
    /// <summary>Null while it runs or has not been started.</summary>
    public int? ExitCode { get; init; }
    public ExecProcess ProcessConfig { get => field ?? new(); init; } = new();
    public bool OpenStdin { get; init; }
    public bool OpenStderr { get; init; }
    public bool OpenStdout { get; init; }
    public bool CanRemove { get; init; }
    [JsonPropertyName("ContainerID")] public string ContainerId { get => field ?? ""; init; } = "";
    public string DetachKeys { get => field ?? ""; init; } = "";
    public int Pid { get; init; }
}

public sealed record ExecProcess
{
    [JsonPropertyName("tty")] public bool Tty { get; init; }
    [JsonPropertyName("entrypoint")] public string Entrypoint { get => field ?? ""; init; } = "";
    [JsonPropertyName("arguments")] public IReadOnlyList<string> Arguments { get; init => field = value ?? []; } = [];
    [JsonPropertyName("privileged")] public bool Privileged { get; init; }
    [JsonPropertyName("user")] public string? User { get; init; }
}
