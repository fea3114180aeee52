using System.Globalization;
using Orchestrator.Cli.Compose.Syntax;
using Orchestrator.Cli.Compose.Values;

namespace Orchestrator.Cli.Compose.Reading;

/// <summary>Takes the keys of one mapping, each with its type, and tells in the end which keys nobody took.</summary>
/// <param name="subject">The mapping's path, as in <c>services.web.deploy</c>.</param>
internal sealed partial class MapReader(MappingNode map, string subject, ProblemList problems)
{
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    internal Place At => map.At;

    internal string Subject => subject;

    internal ProblemList Problems => problems;

    internal IEnumerable<MappingEntry> Entries => map.Entries;

    /// <summary>Marks the key as known and gives its value; null when it is absent or says nothing.</summary>
    internal ComposeNode? Take(string key)
    {
        _known.Add(key);
        return map.Find(key)?.Value is { } value and not ScalarNode { IsNull: true } ? value : null;
    }

    internal Place? PlaceOf(string key) => map.Find(key)?.At;

    /// <summary>A key that compose has and orch does not do yet: told by name.</summary>
    internal void Refuse(string key, string sentence)
    {
        _known.Add(key);
        if (map.Find(key) is { } entry && entry.Value is not ScalarNode { IsNull: true })
            problems.Add(entry.At, $"{subject}.{key} {sentence}");
    }

    internal void Wrong(ComposeNode node, string key, string expected) =>
        problems.Add(node.At, $"{subject}.{key} must be {expected}, not {node.Kind}");


    internal string? Text(string key)
    {
        switch (Take(key))
        {
            case null:
                return null;
            case ScalarNode { IsBoolean: false, IsNumber: false } scalar:
                return scalar.Text;
            case ScalarNode scalar:
                problems.Add(scalar.At, $"{subject}.{key} must be a text, not {scalar.Kind}: write \"{scalar.Text}\" if you mean it");
                return null;
            case var node:
                Wrong(node, key, "a text");
                return null;
        }
    }

    /// <summary>Text where a bare number is as good, as in <c>user: 1000</c>.</summary>
    internal string? TextOrNumber(string key)
    {
        switch (Take(key))
        {
            case null:
                return null;
            case ScalarNode scalar:
                return scalar.Text;
            case var node:
                Wrong(node, key, "a text");
                return null;
        }
    }

    internal string? OneOf(string key, params ReadOnlySpan<string> allowed)
    {
        if (TextOrNumber(key) is not { } text)
            return null;
        if (allowed.Contains(text))
            return text;
        var hint = Spelling.Nearest(text, allowed.ToArray()) is { } near ? $" (did you mean '{near}'?)" : "";
        problems.Add(Take(key)!.At, $"{subject}.{key} is '{text}', which is none of {string.Join(", ", allowed.ToArray())}{hint}");
        return null;
    }

    internal bool? Flag(string key)
    {
        switch (Take(key))
        {
            case null:
                return null;
            case ScalarNode scalar when Boolean(scalar.Text) is { } value:
                return value;
            case var node:
                Wrong(node, key, "true or false");
                return null;
        }
    }

    internal static bool? Boolean(string text) => text.ToLowerInvariant() switch
    {
        "true" or "yes" or "on" or "y" => true,
        "false" or "no" or "off" or "n" => false,
        _ => null,
    };

    internal ulong? Count(string key) => Whole(key) switch
    {
        null => null,
        >= 0 and var count => (ulong)count,
        _ => Refused(key, "must be a whole number from 0"),
    };

    private ulong? Refused(string key, string what)
    {
        problems.Add(Take(key)!.At, $"{subject}.{key} {what}");
        return null;
    }

    internal long? Whole(string key)
    {
        switch (Take(key))
        {
            case null:
                return null;
            case ScalarNode scalar when long.TryParse(scalar.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value):
                return value;
            case ScalarNode scalar:
                problems.Add(scalar.At, $"{subject}.{key} must be a whole number, not '{scalar.Text}'");
                return null;
            case var node:
                Wrong(node, key, "a whole number");
                return null;
        }
    }

    internal double? Ratio(string key)
    {
        switch (Take(key))
        {
            case null:
                return null;
            case ScalarNode scalar when double.TryParse(scalar.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
                && value is >= 0 and <= 1:
                return value;
            case var node:
                Wrong(node, key, "a number from 0 to 1");
                return null;
        }
    }

    internal T? Parse<T>(string key, Func<string, Parsed<T>> parse) where T : struct
    {
        switch (Take(key))
        {
            case null:
                return null;
            case ScalarNode scalar:
                var parsed = parse(scalar.Text);
                if (parsed.Error is null)
                    return parsed.Value;
                problems.Add(scalar.At, $"{subject}.{key}: {parsed.Error}");
                return null;
            case var node:
                Wrong(node, key, "a text");
                return null;
        }
    }

    internal TimeSpan? Duration(string key)
    {
        var value = Parse(key, Durations.Parse);
        if (value is not { Ticks: < 0 })
            return value;
        problems.Add(Take(key)!.At, $"{subject}.{key} must not be negative");
        return null;
    }

    internal long? Bytes(string key) => Parse(key, ByteSizes.Parse);

    internal long? Cpus(string key) => Parse(key, CpuAmounts.Parse);

    internal MapReader? Map(string key)
    {
        switch (Take(key))
        {
            case null:
                return null;
            case MappingNode inner:
                return new MapReader(inner, $"{subject}.{key}", problems);
            case var node:
                Wrong(node, key, "a mapping");
                return null;
        }
    }

    /// <summary>Tells the keys that nobody asked for; keys beginning with <c>x-</c> are the user's own.</summary>
    internal void Close()
    {
        foreach (var entry in map.Entries)
        {
            if (_known.Contains(entry.Key) || entry.Key.StartsWith("x-", StringComparison.Ordinal))
                continue;
            var hint = Spelling.Nearest(entry.Key, _known) is { } near ? $", did you mean '{near}'?" : "";
            var where = subject.Length == 0 ? "" : $" in {subject}";
            problems.Add(entry.At, $"unknown key '{entry.Key}'{where}{hint}");
        }
    }
}
