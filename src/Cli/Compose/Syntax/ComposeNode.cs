using System.Collections.Immutable;

namespace Orchestrator.Cli.Compose.Syntax;

/// <summary>Where a piece of text stands; lines and columns count from 1.</summary>
internal readonly record struct Place(string File, int Line, int Column) : IComparable<Place>
{
    public int CompareTo(Place other)
    {
        var byFile = string.CompareOrdinal(File, other.File);
        if (byFile != 0)
            return byFile;
        var byLine = Line.CompareTo(other.Line);
        return byLine != 0 ? byLine : Column.CompareTo(other.Column);
    }

    public override string ToString() => $"{File}:{Line}:{Column}";
}

/// <summary>What a later file says about the value of an earlier one: compose's tags <c>!override</c> and <c>!reset</c>.</summary>
internal enum MergeOrder
{
    Merge,
    Replace,
    Remove,
}

/// <summary>A YAML value after anchors, aliases and merge keys are applied, with its place kept.</summary>
internal abstract record ComposeNode(Place At)
{
    public MergeOrder Order { get; init; }

    /// <summary>How many nodes the value spells out: aliases count as often as they are used.</summary>
    internal abstract int Size { get; }

    /// <summary>The YAML word for what this is, as messages say it.</summary>
    internal abstract string Kind { get; }
}

/// <param name="Plain">Written without quotes: only such text can be null, a number or a boolean.</param>
internal sealed record ScalarNode(Place At, string Text, bool Plain) : ComposeNode(At)
{
    internal override int Size => 1;

    internal bool IsNull => Plain && Text is "" or "~" or "null" or "Null" or "NULL";

    internal bool IsBoolean => Plain && Text is "true" or "false" or "True" or "False" or "TRUE" or "FALSE";

    internal bool IsNumber => Plain && Text.Length > 0 && (char.IsAsciiDigit(Text[0]) || Text[0] is '-' or '+' or '.')
        && double.TryParse(Text, System.Globalization.CultureInfo.InvariantCulture, out _);

    internal override string Kind => IsNull ? "nothing" : IsBoolean ? "a boolean" : IsNumber ? "a number" : "a text";
}

internal sealed record SequenceNode(Place At, ImmutableArray<ComposeNode> Items) : ComposeNode(At)
{
    internal override int Size { get; } = 1 + Items.Sum(item => item.Size);

    internal override string Kind => "a list";
}

internal sealed record MappingNode(Place At, ImmutableArray<MappingEntry> Entries) : ComposeNode(At)
{
    internal override int Size { get; } = 1 + Entries.Sum(entry => entry.Value.Size);

    internal override string Kind => "a mapping";

    internal MappingEntry? Find(string key) => Entries.FirstOrDefault(entry => entry.Key == key);
}

internal sealed record MappingEntry(string Key, Place At, ComposeNode Value);
