using System.Text.Json;
using Orchestrator.Cli.Client;

namespace Orchestrator.Cli.Commands.Completions;

/// <summary>Names of what is there, asked of the daemon. A daemon that does not answer at once has none: a shell must not hang.</summary>
internal static class CompletionNames
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    internal static async Task<IReadOnlyList<string>> OfAsync(Invocation call, string noun, CancellationToken stop)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(stop);
        deadline.CancelAfter(Patience);
        try
        {
            return noun.Split('|', '[', '=', ':')[0] switch
            {
                "SERVICE" => await NamesAsync("/services", "Spec", "Name"),
                "STACK" => await NamesAsync("/orch/stacks", "Name"),
                "NODE" => [.. await NamesAsync("/nodes", "Description", "Hostname"), "self"],
                "SECRET" => await NamesAsync("/secrets", "Spec", "Name"),
                "CONFIG" => await NamesAsync("/configs", "Spec", "Name"),
                "NETWORK" => await NamesAsync("/networks", "Name"),
                "CONTAINER" => [.. (await ListAsync("/containers/json?all=1")).Select(c => c.GetProperty("Names")[0].GetString()!.TrimStart('/'))],
                "IMAGE" => [.. (await ListAsync("/images/json")).SelectMany(i => Strings(i, "RepoTags"))],
                "VOLUME" => [.. (await call.Client.GetJsonAsync("/volumes", deadline.Token)).TryGetProperty("Volumes", out var volumes)
                    ? volumes.EnumerateArray().Select(v => v.GetProperty("Name").GetString()!) : []],
                "NAME" => [.. await OfAsync(call, "CONTAINER", stop), .. await OfAsync(call, "SERVICE", stop), .. await OfAsync(call, "NETWORK", stop)],
                _ => [],
            };
        }
        catch (Exception e) when (e is EngineException or EngineUnreachableException or HttpRequestException or IOException or OperationCanceledException)
        {
            return [];
        }

        async Task<IReadOnlyList<JsonElement>> ListAsync(string path) => [.. (await call.Client.GetJsonAsync(path, deadline.Token)).EnumerateArray()];

        async Task<IReadOnlyList<string>> NamesAsync(string path, params string[] members) =>
            [.. (await ListAsync(path)).Select(item => members.Aggregate(item, (value, member) => value.GetProperty(member)).GetString() ?? "")];

        static IEnumerable<string> Strings(JsonElement item, string name) =>
            item.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array ? list.EnumerateArray().Select(t => t.GetString() ?? "") : [];
    }
}
