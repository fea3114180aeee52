namespace Orchestrator.Shared.Model;

/// <summary>The version of a stored object: the log index of its last change. An update must name the current one.</summary>
public sealed record ObjectVersion(ulong Index);

/// <summary>Something a user got wrong, told with where it stands.</summary>
/// <param name="Where">A field path such as <c>TaskTemplate.ContainerSpec.Image</c>, or <c>file:line:column</c>.</param>
/// <param name="Message">One sentence naming the thing and what would be right.</param>
public sealed record Problem(string Where, string Message)
{
    public override string ToString() => Where.Length == 0 ? Message : $"{Where}: {Message}";
}

/// <summary>The Engine API's error body.</summary>
public sealed record ErrorReply
{
    [System.Text.Json.Serialization.JsonPropertyName("message")]
    public required string Message { get; init; }
}

/// <summary>The Engine API's answer to a creation.</summary>
public sealed record CreatedReply
{
    [System.Text.Json.Serialization.JsonPropertyName("ID")]
    public required string Id { get; init; }
    public IReadOnlyList<string>? Warnings { get; init; }
}
