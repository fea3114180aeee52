using System.Text;
using Orchestrator.Cli.Compose.Syntax;

namespace Orchestrator.Cli.Compose.Conversion;

/// <summary>
/// Writes a merged and interpolated stack file back as YAML, keys in the order of the files. A dollar is written twice, so that reading the
/// text gives the same stack again.
/// </summary>
internal static class ComposeWriter
{
    internal static string Write(MappingNode source)
    {
        var text = new StringBuilder();
        Mapping(source, 0, text);
        return text.ToString();
    }

    private static void Mapping(MappingNode mapping, int indent, StringBuilder text)
    {
        foreach (var entry in mapping.Entries)
        {
            text.Append(' ', indent).Append(Quoted(entry.Key, plain: true)).Append(':');
            Value(entry.Value, indent + 2, text);
        }
    }

    private static void Value(ComposeNode node, int indent, StringBuilder text)
    {
        switch (node)
        {
            case ScalarNode { IsNull: true }:
                text.Append('\n');
                break;
            case ScalarNode scalar:
                text.Append(' ').Append(Quoted(scalar.Text.Replace("$", "$$", StringComparison.Ordinal), scalar.Plain)).Append('\n');
                break;
            case SequenceNode { Items.IsEmpty: true }:
                text.Append(" []\n");
                break;
            case MappingNode { Entries.IsEmpty: true }:
                text.Append(" {}\n");
                break;
            case MappingNode mapping:
                text.Append('\n');
                Mapping(mapping, indent, text);
                break;
            case SequenceNode sequence:
                text.Append('\n');
                foreach (var item in sequence.Items)
                    Item(item, indent, text);
                break;
        }
    }

    private static void Item(ComposeNode item, int indent, StringBuilder text)
    {
        text.Append(' ', indent).Append('-');
        if (item is not MappingNode { Entries.IsEmpty: false } mapping)
        {
            Value(item, indent + 2, text);
            return;
        }
        var inner = new StringBuilder();
        Mapping(mapping, indent + 2, inner);
        text.Append(' ').Append(inner, indent + 2, inner.Length - indent - 2);
    }

    /// <summary>Plain when no YAML reader could take it for something else.</summary>
    private static string Quoted(string text, bool plain)
    {
        var safe = text.Length > 0
            && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' or '/' or ' ' or '=' or '$' or '@' or '+')
            && text[0] is not ('-' or ' ' or '=' or '@') && text[^1] != ' ';
        var scalar = new ScalarNode(default, text, Plain: true);
        if (safe && (plain || !(scalar.IsNull || scalar.IsBoolean || scalar.IsNumber || MightBeOther(text))))
            return text;
        return "\"" + text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)
            .Replace("\n", "\\n", StringComparison.Ordinal).Replace("\t", "\\t", StringComparison.Ordinal).Replace("\r", "\\r", StringComparison.Ordinal) + "\"";
    }

    /// <summary>YAML 1.1's other booleans, and numbers in other bases.</summary>
    private static bool MightBeOther(string text) =>
        text.ToLowerInvariant() is "yes" or "no" or "on" or "off" or "y" or "n" || char.IsAsciiDigit(text[0]);
}
