namespace Orchestrator.Shared.Model;

/// <summary>Body of <c>PUT /orch/stacks/{name}</c>: the whole stack, applied in one log entry or refused with every problem.</summary>
/// <remarks>Names inside are already scoped (<c>NAME_web</c>) and every object carries the label <see cref="NamespaceLabel"/>.</remarks>
public sealed record StackSpec
{
    /// <summary>The label by which stock tools know a stack's objects.</summary>
    public const string NamespaceLabel = "com.docker.stack.namespace";

    /// <summary>The label that keeps the image reference as the user wrote it.</summary>
    public const string ImageLabel = "com.docker.stack.image";

    public IReadOnlyList<NetworkCreateRequest> Networks { get; init => field = value ?? []; } = [];
    /// <summary>Without its data one must exist already; the services name it by its name.</summary>
    public IReadOnlyList<SecretSpec> Secrets { get; init => field = value ?? []; } = [];
    public IReadOnlyList<ConfigSpec> Configs { get; init => field = value ?? []; } = [];
    public IReadOnlyList<ServiceSpec> Services { get; init => field = value ?? []; } = [];
    /// <summary>Removes services, secrets and configs of the stack that the file no longer has.</summary>
    public bool Prune { get; init; }
}

/// <summary>What a stack deploy did, by object name.</summary>
public sealed record StackReply
{
    public IReadOnlyList<StackChange> Changes { get; init => field = value ?? []; } = [];
}

/// <param name="Kind"><c>network</c>, <c>secret</c>, <c>config</c> or <c>service</c>.</param>
/// <param name="Action"><c>created</c>, <c>updated</c>, <c>unchanged</c> or <c>removed</c>.</param>
public sealed record StackChange(string Kind, string Name, string Id, string Action);

/// <summary>Every problem of a refused request; sent beside <c>message</c> so that stock clients still print one text.</summary>
public sealed record ProblemsReply
{
    [System.Text.Json.Serialization.JsonPropertyName("message")]
    public required string Message { get; init; }
    public IReadOnlyList<Problem> Problems { get; init => field = value ?? []; } = [];
}

/// <summary>A row of <c>GET /orch/stacks</c>.</summary>
public sealed record StackSummary
{
    public required string Name { get; init; }
    public int Services { get; init; }
    public int Networks { get; init; }
    public int Secrets { get; init; }
    public int Configs { get; init; }
}
