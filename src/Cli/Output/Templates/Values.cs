using System.Globalization;
using System.Text.Json;

namespace Orchestrator.Cli.Output.Templates;

/// <summary>What templates compute with: JSON, text, whole numbers, fractions, truth, lists; printed as Go prints them.</summary>
internal static class Values
{
    internal static object? Member(object? value, string name, int column)
    {
        if (value is Typed { Json.ValueKind: JsonValueKind.Object } typed)
            return typed.Member(name, column);
        switch (Plain(value))
        {
            case JsonElement { ValueKind: JsonValueKind.Object } map:
                if (map.TryGetProperty(name, out var member))
                    return member;
                // The API leaves out what is empty, so an absent member of an object from the API is no mistake; of a row it is.
                if (IsRow(map))
                    throw new TemplateException(column, $"there is no field '{name}'; known are {string.Join(", ", map.EnumerateObject().Select(p => p.Name))}");
                // Docker's templates see Go's fields: APIVersion and ID where the JSON says ApiVersion and Id.
                return map.EnumerateObject().Where(p => string.Equals(p.Name, name, StringComparison.OrdinalIgnoreCase)).Select(p => (object?)p.Value).FirstOrDefault();
            case null:
                return null;
            default:
                throw new TemplateException(column, $"'{Print(value)}' has no field '{name}'");
        }
    }

    private static bool IsRow(JsonElement map) => map.EnumerateObject().All(p => p.Value.ValueKind == JsonValueKind.String) && map.EnumerateObject().Any();

    internal static object? Label(object? row, string label)
    {
        if (Plain(row) is not JsonElement { ValueKind: JsonValueKind.Object } map || !map.TryGetProperty("Labels", out var labels))
            return "";
        if (labels.ValueKind == JsonValueKind.Object)
            return labels.TryGetProperty(label, out var value) ? value.GetString() : "";
        var pair = (labels.GetString() ?? "").Split(',').FirstOrDefault(p => p.StartsWith(label + "=", StringComparison.Ordinal));
        return pair is null ? "" : pair[(label.Length + 1)..];
    }

    /// <summary>JSON's scalars as .NET's; objects and arrays stay JSON.</summary>
    internal static object? Plain(object? value) => (value as Typed)?.Json is { } known ? Plain(known) : value is not JsonElement json ? value : json.ValueKind switch
    {
        JsonValueKind.String => json.GetString(),
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Null or JsonValueKind.Undefined => null,
        JsonValueKind.Number => json.TryGetInt64(out var whole) ? (object)whole : json.GetDouble(),
        _ => json,
    };

    internal static bool IsTrue(object? value) => Plain(value) switch
    {
        null or false or 0L or 0d or "" => false,
        JsonElement { ValueKind: JsonValueKind.Array } list => list.GetArrayLength() > 0,
        JsonElement map => map.EnumerateObject().Any(),
        IReadOnlyList<object?> list => list.Count > 0,
        _ => true,
    };

    internal static IEnumerable<(object? Key, object? Item)> Items(object? value) => value is Typed typed ? typed.Items() : Plain(value) switch
    {
        JsonElement { ValueKind: JsonValueKind.Array } list => list.EnumerateArray().Select((item, i) => ((object?)(long)i, (object?)item)),
        JsonElement map => map.EnumerateObject().OrderBy(p => p.Name, StringComparer.Ordinal).Select(p => ((object?)p.Name, (object?)p.Value)),
        IReadOnlyList<object?> list => list.Select((item, i) => ((object?)(long)i, item)),
        _ => [],
    };

    internal static string Print(object? value) => Plain(value) switch
    {
        null => "<no value>",
        string text => text,
        bool flag => flag ? "true" : "false",
        long number => number.ToString(CultureInfo.InvariantCulture),
        double number => number.ToString("R", CultureInfo.InvariantCulture),
        JsonElement { ValueKind: JsonValueKind.Array } list => $"[{string.Join(' ', list.EnumerateArray().Select(i => Print(i)))}]",
        JsonElement map => $"map[{string.Join(' ', map.EnumerateObject().OrderBy(p => p.Name, StringComparer.Ordinal).Select(p => $"{p.Name}:{Print(p.Value)}"))}]",
        IReadOnlyList<object?> list => $"[{string.Join(' ', list.Select(Print))}]",
        var other => other.ToString() ?? "",
    };
}
