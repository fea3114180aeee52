using System.Text.Json.Serialization;

namespace Orchestrator.Worker.Images;

/// <summary>One line of progress in Docker's jsonmessage shape, written to clients as newline-delimited JSON.</summary>
internal sealed record ProgressMessage
{
    [JsonPropertyName("stream")] public string? Stream { get; init; }
    [JsonPropertyName("status")] public string? Status { get; init; }
    [JsonPropertyName("progressDetail")] public ProgressDetail? ProgressDetail { get; init; }
    [JsonPropertyName("id")] public string? Id { get; init; }
    [JsonPropertyName("errorDetail")] public ErrorDetail? ErrorDetail { get; init; }
    [JsonPropertyName("error")] public string? Error { get; init; }
    [JsonPropertyName("aux")] public ProgressAux? Aux { get; init; }

    internal static ProgressMessage Text(string text) => new() { Stream = text };
    internal static ProgressMessage State(string status, string? id = null) => new() { Status = status, Id = id };
    internal static ProgressMessage Built(string imageId) => new() { Aux = new(imageId) };
    internal static ProgressMessage Failed(string message, int? code = null) => new() { ErrorDetail = new(code, message), Error = message };
}

/// <summary>How far a transfer is, in bytes.</summary>
internal sealed record ProgressDetail([property: JsonPropertyName("current")] long Current, [property: JsonPropertyName("total")] long Total);

/// <summary>The failure that ended the operation.</summary>
internal sealed record ErrorDetail([property: JsonPropertyName("code")] int? Code, [property: JsonPropertyName("message")] string Message);

/// <summary>What machines read: the id of the image made.</summary>
internal sealed record ProgressAux([property: JsonPropertyName("ID")] string Id);
