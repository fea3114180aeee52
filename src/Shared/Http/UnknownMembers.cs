using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Orchestrator.Shared.Model;

namespace Orchestrator.Shared.Http;

/// <summary>
/// Finds what a body asks for and the model has no member for. A member that says nothing (null, false, 0, "", [] or {}) is no
/// request and is let pass: stock clients write many of those.
/// </summary>
public static class UnknownMembers
{
    /// <param name="body">The JSON as sent.</param>
    /// <param name="type">The model type it is read as.</param>
    /// <param name="tolerated">Paths (members joined by dots) that may be dropped because they change nothing here; with <c>=JSON</c>, that value only.</param>
    public static IReadOnlyList<Problem> Find(JsonElement body, JsonTypeInfo type, params ReadOnlySpan<string> tolerated)
    {
        var problems = new List<Problem>();
        Walk(body, type, "", tolerated, problems);
        return problems;
    }

    private static void Walk(JsonElement value, JsonTypeInfo type, string path, ReadOnlySpan<string> tolerated, List<Problem> problems)
    {
        if (value.ValueKind == JsonValueKind.Array && type is { Kind: JsonTypeInfoKind.Enumerable, ElementType: { } element })
        {
            var index = 0;
            var elementType = type.Options.GetTypeInfo(element);
            foreach (var item in value.EnumerateArray())
                Walk(item, elementType, $"{path}[{index++}]", tolerated, problems);
            return;
        }

        if (value.ValueKind != JsonValueKind.Object)
            return;
        if (type is { Kind: JsonTypeInfoKind.Dictionary, ElementType: { } entry })
        {
            var entryType = type.Options.GetTypeInfo(entry);
            foreach (var member in value.EnumerateObject())
                Walk(member.Value, entryType, Join(path, member.Name), tolerated, problems);
            return;
        }

        if (type.Kind != JsonTypeInfoKind.Object)
            return;
        foreach (var member in value.EnumerateObject())
        {
            var where = Join(path, member.Name);
            if (type.Properties.FirstOrDefault(p => p.Name.Equals(member.Name, StringComparison.OrdinalIgnoreCase)) is { } known)
                Walk(member.Value, type.Options.GetTypeInfo(known.PropertyType), where, tolerated, problems);
            else if (!SaysNothing(member.Value) && !tolerated.Contains(where) && !tolerated.Contains($"{where}={member.Value.GetRawText()}"))
                problems.Add(new Problem(where, "orch does not support this yet; leave it out"));
        }
    }

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    private static bool SaysNothing(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.False => true,
        JsonValueKind.Number => value.TryGetDouble(out var number) && number == 0,
        JsonValueKind.String => value.ValueEquals(""),
        JsonValueKind.Array => value.EnumerateArray().All(SaysNothing),
        JsonValueKind.Object => value.EnumerateObject().All(m => SaysNothing(m.Value)),
        _ => false,
    };
}
