using System.Collections;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Orchestrator.Cli.Compose.Values;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Output.Templates;

/// <summary>
/// JSON of a known type. The API leaves out what is empty, while docker's templates see Go's structs, in which every field is there: a
/// member that the type has and the JSON has not is its type's zero, and one that the type has not is a mistake.
/// </summary>
internal sealed record Typed(JsonElement Json, JsonTypeInfo Type)
{
    internal static Typed Of<T>(JsonElement json) => new(json, ModelJson.Of<T>());

    /// <summary>With its type as long as that is a record's; maps, lists and scalars are plain.</summary>
    internal static object? Wrap(JsonElement json, Type type)
    {
        if (json.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array) || !ModelJson.Options.TryGetTypeInfo(type, out var info))
            return json;
        return info.Kind is JsonTypeInfoKind.Object or JsonTypeInfoKind.Enumerable or JsonTypeInfoKind.Dictionary ? new Typed(json, info) : json;
    }

    internal object? Member(string name, int column)
    {
        if (Type.Kind != JsonTypeInfoKind.Object)
            return Json.ValueKind == JsonValueKind.Object && Json.TryGetProperty(name, out var value) ? Wrap(value, Type.ElementType ?? typeof(object)) : null;
        // Docker's templates see Go's fields: APIVersion and ID where the JSON says ApiVersion and Id.
        var known = Type.Properties.FirstOrDefault(p => p.Name == name) ?? Type.Properties.FirstOrDefault(p => string.Equals(p.Name, name, StringComparison.OrdinalIgnoreCase));
        if (Json.TryGetProperty(known?.Name ?? name, out var member))
            return known is null ? member : Wrap(member, known.PropertyType);
        if (known is not null)
            return Zero(known.PropertyType);
        var hint = Spelling.Nearest(name, Type.Properties.Select(p => p.Name)) is { } near ? $", did you mean '{near}'?" : $"; known are {string.Join(", ", Type.Properties.Select(p => p.Name))}";
        throw new TemplateException(column, $"there is no field '{name}'{hint}");
    }

    internal IEnumerable<(object? Key, object? Item)> Items() =>
        Values.Items(Json).Select(i => (i.Key, i.Item is JsonElement item && Type.ElementType is { } element ? Wrap(item, element) : i.Item));

    private static object? Zero(Type type)
    {
        if (type == typeof(string))
            return "";
        if (type == typeof(bool))
            return false;
        if (type.IsPrimitive)
            return 0L;
        if (typeof(IDictionary).IsAssignableFrom(type) || (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>)))
            return EmptyMap;
        return typeof(IEnumerable).IsAssignableFrom(type) ? Array.Empty<object?>() : null;
    }

    private static readonly JsonElement EmptyMap = JsonDocument.Parse("{}").RootElement;
}
