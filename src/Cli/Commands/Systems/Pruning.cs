using System.Text.Json;
using Orchestrator.Cli.Client;

namespace Orchestrator.Cli.Commands.Systems;

/// <summary>What one prune call removed.</summary>
/// <param name="Title">The line above, <c>Deleted Volumes:</c>.</param>
/// <param name="Lines">One for each thing.</param>
/// <param name="Bytes">That are free now.</param>
internal sealed record Pruned(string Title, IReadOnlyList<string> Lines, long Bytes)
{
    /// <summary>Nothing is said when nothing was removed.</summary>
    internal async Task WriteAsync(Invocation call)
    {
        if (Lines.Count > 0)
            await call.Shell.Out.WriteLineAsync($"{Title}\n{string.Join('\n', Lines)}\n");
    }
}

/// <summary>The prune calls of the API.</summary>
internal static class Pruning
{
    internal static Task<Pruned> ContainersAsync(Invocation call, Dictionary<string, IReadOnlyList<string>> filters, CancellationToken stop) =>
        SendAsync(call, "/containers/prune", filters, "Deleted Containers:", "ContainersDeleted", Text, stop);

    internal static Task<Pruned> NetworksAsync(Invocation call, Dictionary<string, IReadOnlyList<string>> filters, CancellationToken stop) =>
        SendAsync(call, "/networks/prune", filters, "Deleted Networks:", "NetworksDeleted", Text, stop);

    internal static Task<Pruned> VolumesAsync(Invocation call, Dictionary<string, IReadOnlyList<string>> filters, CancellationToken stop) =>
        SendAsync(call, "/volumes/prune", filters, "Deleted Volumes:", "VolumesDeleted", Text, stop);

    internal static Task<Pruned> ImagesAsync(Invocation call, Dictionary<string, IReadOnlyList<string>> filters, CancellationToken stop) =>
        SendAsync(call, "/images/prune", filters, "Deleted Images:", "ImagesDeleted", Image, stop);

    internal static Task<Pruned> BuildCacheAsync(Invocation call, Dictionary<string, IReadOnlyList<string>> filters, CancellationToken stop) =>
        SendAsync(call, "/build/prune", filters, "Deleted build cache objects:", "CachesDeleted", Text, stop);

    private static async Task<Pruned> SendAsync(
        Invocation call, string path, Dictionary<string, IReadOnlyList<string>> filters, string title, string member, Func<JsonElement, string> line, CancellationToken stop)
    {
        using var response = await call.Client.OpenAsync(HttpMethod.Post, EngineClient.Query(path, ("filters", EngineClient.Filters(filters))), null, stop);
        using var json = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(stop));
        var deleted = json.RootElement.TryGetProperty(member, out var list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray().Select(line).ToList() : [];
        var bytes = json.RootElement.TryGetProperty("SpaceReclaimed", out var space) && space.TryGetInt64(out var number) ? number : 0;
        return new Pruned(title, deleted, bytes);
    }

    private static string Text(JsonElement item) => item.GetString() ?? "";

    private static string Image(JsonElement item) => item.TryGetProperty("Deleted", out var deleted) && deleted.ValueKind == JsonValueKind.String
        ? $"deleted: {deleted.GetString()}"
        : $"untagged: {(item.TryGetProperty("Untagged", out var untagged) ? untagged.GetString() : "")}";
}
