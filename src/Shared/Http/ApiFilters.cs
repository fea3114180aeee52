using System.Text.Json;

namespace Orchestrator.Shared.Http;

/// <summary>The <c>filters</c> of a list call: several values of one filter are alternatives, several filters must all hold.</summary>
public sealed class ApiFilters
{
    private readonly IReadOnlyDictionary<string, IReadOnlyList<string>> _values;

    private ApiFilters(IReadOnlyDictionary<string, IReadOnlyList<string>> values) => _values = values;

    /// <summary>No filter: everything matches.</summary>
    public static readonly ApiFilters None = new(new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal));

    /// <summary>Reads both historic shapes, <c>{"k":["v"]}</c> and <c>{"k":{"v":true}}</c>, and refuses what is not in <paramref name="known"/>.</summary>
    public static ApiFilters Parse(string? text, params ReadOnlySpan<string> known)
    {
        if (string.IsNullOrEmpty(text))
            return None;
        var values = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        try
        {
            using var json = JsonDocument.Parse(text);
            foreach (var filter in json.RootElement.EnumerateObject())
            {
                IReadOnlyList<string> wanted = filter.Value.ValueKind == JsonValueKind.Array
                    ? [.. filter.Value.EnumerateArray().Select(v => v.GetString() ?? "")]
                    : [.. filter.Value.EnumerateObject().Where(v => v.Value.GetBoolean()).Select(v => v.Name)];
                if (wanted.Count > 0)
                    values[filter.Name] = wanted;
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new ApiException(400, $"query parameter 'filters' is not a JSON object of lists: {e.Message}", inner: e);
        }

        foreach (var name in values.Keys)
        {
            if (!known.Contains(name))
                throw new ApiException(400, $"invalid filter '{name}'");
        }

        return new(values);
    }

    /// <summary>Every filter as asked for.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Values => _values;

    public bool Has(string name) => _values.ContainsKey(name);

    /// <summary>The values asked for; empty when the filter is absent.</summary>
    public IReadOnlyList<string> this[string name] => _values.TryGetValue(name, out var values) ? values : [];

    /// <summary>True when the filter is absent or one of its values is accepted.</summary>
    public bool Any(string name, Func<string, bool> accepts) => !_values.TryGetValue(name, out var values) || values.Any(accepts);

    /// <summary>True when the filter is absent or all of its values are accepted: how labels are matched.</summary>
    public bool All(string name, Func<string, bool> accepts) => !_values.TryGetValue(name, out var values) || values.All(accepts);

    /// <summary>Matches <c>key</c> and <c>key=value</c> against labels; all that are asked for must be there.</summary>
    public bool Labels(string name, IReadOnlyDictionary<string, string> labels) => All(name, wanted => HasLabel(labels, wanted));

    /// <summary>The filter's value as a boolean (<c>true</c>, <c>1</c>, <c>false</c>, <c>0</c>), or null when absent.</summary>
    public bool? Boolean(string name) => !_values.TryGetValue(name, out var values) ? null : values switch
    {
        ["true" or "1" or "True" or "TRUE" or "t"] => true,
        ["false" or "0" or "False" or "FALSE" or "f"] => false,
        _ => throw new ApiException(400, $"invalid filter '{name}={string.Join(',', values)}': it takes one value, true or false"),
    };

    /// <summary>Holds each value of a filter to a fixed set.</summary>
    public void Check(string name, params ReadOnlySpan<string> allowed)
    {
        foreach (var value in this[name])
        {
            if (!allowed.Contains(value))
                throw new ApiException(400, $"invalid filter '{name}={value}': use one of {string.Join(", ", allowed.ToArray())}");
        }
    }

    public static bool HasLabel(IReadOnlyDictionary<string, string> labels, string wanted)
    {
        var equals = wanted.IndexOf('=', StringComparison.Ordinal);
        return equals < 0
            ? labels.ContainsKey(wanted)
            : labels.TryGetValue(wanted[..equals], out var value) && value == wanted[(equals + 1)..];
    }
}
