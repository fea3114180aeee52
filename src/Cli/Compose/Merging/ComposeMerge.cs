using System.Collections.Immutable;
using Orchestrator.Cli.Compose.Syntax;

namespace Orchestrator.Cli.Compose.Merging;

/// <summary>Lays one stack file over another (compose-spec, 13-merge.md): mappings by key, lists appended, commands replaced.</summary>
internal static class ComposeMerge
{
    internal static MappingNode Merge(MappingNode under, MappingNode over) => Mapping(under, over, []);

    /// <summary>Drops what is marked <c>!reset</c>, which a file standing alone may hold too.</summary>
    internal static MappingNode Settle(MappingNode mapping) => mapping with
    {
        Entries = [.. mapping.Entries
            .Where(e => e.Value.Order != MergeOrder.Remove)
            .Select(e => e.Value is MappingNode inner ? e with { Value = Settle(inner) } : e)],
    };

    private static MappingNode Mapping(MappingNode under, MappingNode over, ImmutableArray<string> path)
    {
        var entries = under.Entries.ToList();
        foreach (var entry in over.Entries)
        {
            var i = entries.FindIndex(e => e.Key == entry.Key);
            if (entry.Value.Order == MergeOrder.Remove)
            {
                if (i >= 0)
                    entries.RemoveAt(i);
            }
            else if (i < 0)
            {
                entries.Add(entry);
            }
            else
            {
                entries[i] = entry with { Value = Value(entries[i].Value, entry.Value, path.Add(entry.Key)) };
            }
        }
        return over with { Entries = [.. entries] };
    }

    private static ComposeNode Value(ComposeNode under, ComposeNode over, ImmutableArray<string> path)
    {
        if (over.Order == MergeOrder.Replace)
            return over;
        var key = path[^1];
        if (over is ScalarNode { IsNull: true } && under is not ScalarNode)
            return under;
        if (InService(path) && key is "command" or "entrypoint" && path.Length == 3 || key == "test" && path[^2] == "healthcheck")
            return over;
        (under, over) = (Canonical(under, path), Canonical(over, path));
        return (under, over) switch
        {
            (MappingNode a, MappingNode b) => Mapping(a, b, path),
            (SequenceNode a, SequenceNode b) => Sequence(a, b, path),
            _ => over,
        };
    }

    private static bool InService(ImmutableArray<string> path) => path.Length >= 3 && path[0] == "services";

    /// <summary>Of the forms a key may take, the one in which two values can be laid over each other.</summary>
    private static ComposeNode Canonical(ComposeNode node, ImmutableArray<string> path)
    {
        var key = path[^1];
        var mapLike = key is "environment" or "labels" or "sysctls" or "extra_hosts" or "annotations"
            || key == "args" && path.Length >= 2 && path[^2] == "build"
            || key is "networks" or "depends_on" && InService(path) && path.Length == 3;
        if (mapLike && node is SequenceNode list && list.Items.All(i => i is ScalarNode))
            return new MappingNode(list.At, [.. list.Items.Cast<ScalarNode>().Select(i => Pair(i, key))]);
        if (key == "build" && node is ScalarNode context)
            return new MappingNode(context.At, [new MappingEntry("context", context.At, context)]);
        if (key is "env_file" or "tmpfs" or "dns" or "dns_search" && node is ScalarNode { IsNull: false } one)
            return new SequenceNode(one.At, [one]);
        return node;
    }

    private static MappingEntry Pair(ScalarNode item, string key)
    {
        var equals = item.Text.IndexOf('=');
        if (equals < 0 && key == "extra_hosts")
            equals = item.Text.IndexOf(':');
        return equals < 0
            ? new MappingEntry(item.Text, item.At, new ScalarNode(item.At, "", Plain: true))
            : new MappingEntry(item.Text[..equals], item.At, new ScalarNode(item.At, item.Text[(equals + 1)..], Plain: false));
    }

    private static SequenceNode Sequence(SequenceNode under, SequenceNode over, ImmutableArray<string> path)
    {
        Func<ComposeNode, string?> identity = path[^1] switch
        {
            "ports" => PortIdentity,
            "volumes" => VolumeIdentity,
            "secrets" or "configs" => PayloadIdentity,
            _ => static node => node is ScalarNode scalar ? scalar.Text : null,
        };
        var replaced = over.Items.Select(identity).OfType<string>().ToHashSet(StringComparer.Ordinal);
        return over with { Items = [.. under.Items.Where(i => identity(i) is not { } id || !replaced.Contains(id)), .. over.Items] };
    }

    private static string? PortIdentity(ComposeNode node) => node switch
    {
        ScalarNode scalar => scalar.Text.EndsWith("/tcp", StringComparison.Ordinal) ? scalar.Text[..^4] : scalar.Text,
        MappingNode map => $"{Text(map, "published")}:{Text(map, "target")}"
            + (Text(map, "protocol") is { Length: > 0 } protocol and not "tcp" ? "/" + protocol : ""),
        _ => null,
    };

    private static string? VolumeIdentity(ComposeNode node) => node switch
    {
        ScalarNode scalar => scalar.Text.Split(':') is [_, var target, ..] ? target : scalar.Text,
        MappingNode map => Text(map, "target"),
        _ => null,
    };

    private static string? PayloadIdentity(ComposeNode node) => node switch
    {
        ScalarNode scalar => scalar.Text,
        MappingNode map => Text(map, "target") ?? Text(map, "source"),
        _ => null,
    };

    private static string? Text(MappingNode map, string key) => (map.Find(key)?.Value as ScalarNode)?.Text;
}
