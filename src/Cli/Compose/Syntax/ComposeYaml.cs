using System.Collections.Immutable;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Orchestrator.Cli.Compose.Syntax;

/// <summary>YAML text to nodes with places: anchors and merge keys (<c>&lt;&lt;</c>, yaml.org/type/merge) applied, duplicate keys refused.</summary>
internal sealed class ComposeYaml
{
    /// <summary>A file that spells out more than this is an alias bomb, not a stack.</summary>
    private const int MostNodes = 100_000;

    private readonly string _file;
    private readonly ProblemList _problems;
    private readonly Parser _parser;
    private readonly Dictionary<string, ComposeNode> _anchors = new(StringComparer.Ordinal);

    private ComposeYaml(string file, string text, ProblemList problems)
    {
        _file = file;
        _problems = problems;
        _parser = new Parser(new Scanner(new StringReader(text), skipComments: true));
    }

    /// <summary>Null when the text is not YAML or not a mapping; the problem is in the list.</summary>
    internal static MappingNode? Parse(string file, string text, ProblemList problems)
    {
        try
        {
            return new ComposeYaml(file, text, problems).Document();
        }
        catch (YamlException e)
        {
            problems.Add(new Place(file, (int)e.Start.Line, (int)e.Start.Column), $"not valid YAML: {Sentence(e)}");
            return null;
        }
    }

    private static string Sentence(YamlException e)
    {
        var message = e.InnerException is { } inner ? inner.Message : e.Message;
        return message.TrimEnd('.') is { Length: > 0 } text ? char.ToLowerInvariant(text[0]) + text[1..] : "unreadable";
    }

    private MappingNode? Document()
    {
        _parser.Consume<StreamStart>();
        if (_parser.Accept<StreamEnd>(out _))
        {
            _problems.Add(new Place(_file, 1, 1), "the file is empty");
            return null;
        }
        _parser.Consume<DocumentStart>();
        var at = Here(_parser.Current!);
        var node = Value();
        _parser.Consume<DocumentEnd>();
        if (_parser.Accept<DocumentStart>(out var second))
            _problems.Add(Here(second), "a second document begins here; a stack file holds one");
        switch (node)
        {
            case MappingNode mapping:
                return mapping;
            case ScalarNode { IsNull: true }:
                _problems.Add(new Place(_file, 1, 1), "the file is empty");
                return null;
            default:
                _problems.Add(node?.At ?? at, $"a stack file is a mapping with the key 'services', not {node?.Kind ?? "this"}");
                return null;
        }
    }

    private Place Here(ParsingEvent e) => new(_file, (int)e.Start.Line, (int)e.Start.Column);

    private ComposeNode? Value()
    {
        if (_parser.TryConsume<AnchorAlias>(out var alias))
        {
            if (_anchors.TryGetValue(alias.Value.Value, out var target))
                return target;
            _problems.Add(Here(alias), $"alias '*{alias.Value.Value}' names no anchor above it");
            return null;
        }
        var start = _parser.Consume<NodeEvent>();
        var order = Order(start);
        ComposeNode node = start switch
        {
            Scalar scalar => new ScalarNode(Here(start), scalar.Value, scalar.Style is ScalarStyle.Plain or ScalarStyle.Any) { Order = order },
            SequenceStart => Sequence(start) with { Order = order },
            MappingStart => Mapping(start) with { Order = order },
            _ => throw new YamlException(start.Start, start.End, "unexpected " + start.GetType().Name),
        };
        if (node.Size > MostNodes)
            throw new YamlException(start.Start, start.End, $"aliases spell out more than {MostNodes} values");
        if (!start.Anchor.IsEmpty)
            _anchors[start.Anchor.Value] = node;
        return node;
    }

    private MergeOrder Order(NodeEvent e)
    {
        if (e.Tag.IsEmpty || e.Tag.IsNonSpecific)
            return MergeOrder.Merge;
        switch (e.Tag.Value)
        {
            case "!override":
                return MergeOrder.Replace;
            case "!reset":
                return MergeOrder.Remove;
            case ['t', 'a', 'g', ':', 'y', 'a', 'm', 'l', ..]:
                return MergeOrder.Merge;
            default:
                _problems.Add(Here(e), $"unknown tag '{e.Tag.Value}'; known are !override and !reset");
                return MergeOrder.Merge;
        }
    }

    private SequenceNode Sequence(NodeEvent start)
    {
        var items = ImmutableArray.CreateBuilder<ComposeNode>();
        while (!_parser.TryConsume<SequenceEnd>(out _))
        {
            if (Value() is { } item)
                items.Add(item);
        }
        return new SequenceNode(Here(start), items.ToImmutable());
    }

    private MappingNode Mapping(NodeEvent start)
    {
        var own = new List<MappingEntry>();
        var merged = new List<MappingEntry>();
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            if (!_parser.TryConsume<Scalar>(out var key))
            {
                _problems.Add(Here(_parser.Current!), "a key must be a text");
                Value();
                Value();
                continue;
            }
            var at = Here(key);
            var isMerge = key.Value == "<<" && key.Style == ScalarStyle.Plain;
            var value = Value();
            if (value is null)
                continue;
            if (isMerge)
                Merge(value, merged);
            else if (own.Find(e => e.Key == key.Value) is { } first)
                _problems.Add(at, $"key '{key.Value}' is given twice; the first is at line {first.At.Line}");
            else
                own.Add(new MappingEntry(key.Value, at, value));
        }
        var taken = own.Select(e => e.Key).ToHashSet(StringComparer.Ordinal);
        return new MappingNode(Here(start), [.. merged.Where(e => taken.Add(e.Key)), .. own]);
    }

    /// <summary>Own keys win over merged ones, and of several merged mappings the earlier wins.</summary>
    private void Merge(ComposeNode value, List<MappingEntry> into)
    {
        switch (value)
        {
            case MappingNode mapping:
                into.AddRange(mapping.Entries);
                break;
            case SequenceNode sequence when sequence.Items.All(i => i is MappingNode):
                into.AddRange(sequence.Items.Cast<MappingNode>().SelectMany(m => m.Entries));
                break;
            default:
                _problems.Add(value.At, $"'<<' merges a mapping or a list of mappings, not {value.Kind}");
                break;
        }
    }
}
