using Orchestrator.Cli.Compose.Syntax;
using Orchestrator.Cli.Compose.Values;

namespace Orchestrator.Cli.Compose.Reading;

/// <summary>Keys that hold lists, or pairs in either of compose's two forms.</summary>
internal sealed partial class MapReader
{
    internal IReadOnlyList<string> Texts(string key) => [.. Scalars(key, oneIsAList: false).Select(s => s.Text)];

    internal IReadOnlyList<string> TextOrTexts(string key) => [.. Scalars(key, oneIsAList: true).Select(s => s.Text)];

    internal IReadOnlyList<ScalarNode> ScalarOrScalars(string key) => Scalars(key, oneIsAList: true);

    internal IReadOnlyList<ComposeNode> Items(string key)
    {
        switch (Take(key))
        {
            case null:
                return [];
            case SequenceNode sequence:
                return sequence.Items;
            case var node:
                Wrong(node, key, "a list");
                return [];
        }
    }

    private IReadOnlyList<ScalarNode> Scalars(string key, bool oneIsAList)
    {
        switch (Take(key))
        {
            case null:
                return [];
            case ScalarNode one when oneIsAList:
                return [one];
            case SequenceNode sequence:
                foreach (var item in sequence.Items.Where(i => i is not ScalarNode { IsNull: false }))
                    problems.Add(item.At, $"{subject}.{key} must hold texts, not {item.Kind}");
                return [.. sequence.Items.OfType<ScalarNode>().Where(i => !i.IsNull)];
            case var node:
                Wrong(node, key, oneIsAList ? "a text or a list of texts" : "a list of texts");
                return [];
        }
    }

    /// <summary>A command: a text is split as a shell would, a list is taken as it is; null when absent.</summary>
    internal IReadOnlyList<string>? Words(string key)
    {
        switch (Take(key))
        {
            case null:
                return null;
            case ScalarNode text:
                var words = ShellWords.Split(text.Text);
                if (words.Error is null)
                    return words.Value;
                problems.Add(text.At, $"{subject}.{key}: {words.Error}");
                return null;
            case SequenceNode:
                return Texts(key);
            case var node:
                Wrong(node, key, "a text or a list of texts");
                return null;
        }
    }

    /// <summary>A mapping, or a list of <c>NAME=value</c>; a value that says nothing is null.</summary>
    internal IReadOnlyList<PairNode> Pairs(string key, char separator = '=')
    {
        switch (Take(key))
        {
            case null:
                return [];
            case MappingNode mapping:
                foreach (var entry in mapping.Entries.Where(e => e.Value is not ScalarNode))
                    problems.Add(entry.Value.At, $"{subject}.{key}.{entry.Key} must be a text, not {entry.Value.Kind}");
                return [.. mapping.Entries
                    .Where(e => e.Value is ScalarNode)
                    .Select(e => new PairNode(e.Key, e.Value is ScalarNode { IsNull: false } s ? s.Text : null, e.At))];
            case SequenceNode:
                return [.. Scalars(key, oneIsAList: false).Select(s => Split(s, separator))];
            case var node:
                Wrong(node, key, "a mapping or a list of NAME=value");
                return [];
        }
    }

    /// <summary>The same where a value that says nothing is an empty one; a later pair of a name wins.</summary>
    internal Dictionary<string, string> Labels(string key)
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in Pairs(key))
        {
            if (pair.Name.Length == 0)
                problems.Add(pair.At, $"{subject}.{key} holds a pair without a name");
            else
                labels[pair.Name] = pair.Value ?? "";
        }
        return labels;
    }

    private static PairNode Split(ScalarNode item, char separator)
    {
        var at = item.Text.IndexOf('=');
        if (at < 0 && separator != '=')
            at = item.Text.IndexOf(separator);
        return at < 0 ? new PairNode(item.Text, null, item.At) : new PairNode(item.Text[..at], item.Text[(at + 1)..], item.At);
    }
}

internal sealed record PairNode(string Name, string? Value, Place At);
