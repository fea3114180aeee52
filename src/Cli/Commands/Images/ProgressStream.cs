using System.Text.Json;
using Orchestrator.Cli.Client;

namespace Orchestrator.Cli.Commands.Images;

/// <summary>The daemon's progress (docker's jsonmessage) as text, while it comes.</summary>
internal static class ProgressStream
{
    /// <summary>The identifier that the daemon gave last, for <c>build -q</c>.</summary>
    internal static async Task<string?> WriteAsync(HttpResponseMessage response, TextWriter to, CancellationToken stop)
    {
        string? id = null;
        await using var stream = await response.Content.ReadAsStreamAsync(stop);
        await foreach (var line in JsonLines.ReadAsync(stream, stop))
        {
            if (line.TryGetProperty("errorDetail", out var detail) && detail.ValueKind == JsonValueKind.Object && detail.TryGetProperty("message", out var message))
                throw new CommandException(message.GetString() ?? "the daemon failed without saying why");
            if (Text(line, "error") is { } error)
                throw new CommandException(error);
            if (line.TryGetProperty("aux", out var aux) && aux.ValueKind == JsonValueKind.Object && aux.TryGetProperty("ID", out var given))
                id = given.GetString();
            if (Text(line, "stream") is { } text)
                await to.WriteAsync(text);
            else if (Text(line, "status") is { } status && !line.TryGetProperty("progressDetail", out _))
                await to.WriteLineAsync(Text(line, "id") is { Length: > 0 } subject ? $"{subject}: {status}" : status);
            await to.FlushAsync(stop);
        }
        return id;
    }

    private static string? Text(JsonElement line, string name) =>
        line.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
