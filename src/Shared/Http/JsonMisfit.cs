using System.Text.Json;

namespace Orchestrator.Shared.Http;

/// <summary>Words for a body that is JSON and does not fit its type, where the serialiser names types of ours.</summary>
internal static class JsonMisfit
{
    private const int LongestShown = 40;
    private const string Serialisers = "The JSON value could not be converted";

    /// <summary>The field and, when it is short, what it holds: <c>Availability can't be "asleep"</c>.</summary>
    internal static string Tell(JsonElement body, JsonException failure)
    {
        var path = failure.Path is { Length: > 2 } full && full.StartsWith("$.", StringComparison.Ordinal) ? full[2..] : "the body";
        if (!failure.Message.StartsWith(Serialisers, StringComparison.Ordinal))
            return $"{path}: {failure.Message}"; // one of our own, or one that tells what is missing
        return At(body, failure.Path ?? "$") is { } found ? $"{path} can't be {Show(found)}" : $"{path} holds a value that does not fit";
    }

    /// <summary>Null when the path is one that this does not read: a key with dots or brackets in it.</summary>
    private static JsonElement? At(JsonElement body, string path)
    {
        var at = body;
        foreach (var step in path.Replace("[", ".[", StringComparison.Ordinal).Split('.').Skip(1))
        {
            if (step.StartsWith('['))
            {
                if (at.ValueKind != JsonValueKind.Array || !int.TryParse(step.Trim('[', ']'), out var index) || index < 0 || index >= at.GetArrayLength())
                    return null;
                at = at[index];
            }
            else if (at.ValueKind == JsonValueKind.Object && at.TryGetProperty(step, out var next))
            {
                at = next;
            }
            else
            {
                return null;
            }
        }

        return at;
    }

    private static string Show(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String when value.GetString()!.Length > LongestShown => "this text",
        _ => value.GetRawText(),
    };
}
