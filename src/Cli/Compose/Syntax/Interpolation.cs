using System.Text;

namespace Orchestrator.Cli.Compose.Syntax;

/// <summary>Compose's variables in values: <c>$NAME</c>, <c>${NAME}</c> with <c>:-</c> <c>-</c> <c>:?</c> <c>?</c> <c>:+</c> <c>+</c>, and <c>$$</c>.</summary>
/// <remarks>Grammar: compose-spec, 12-interpolation.md. Defaults may hold variables themselves. Keys are not interpolated.</remarks>
internal sealed class Interpolation(Func<string, string?> variable, ProblemList problems)
{
    internal ComposeNode Apply(ComposeNode node) => node switch
    {
        ScalarNode scalar => scalar.Text.Contains('$') ? scalar with { Text = Text(scalar.Text, scalar.At) } : scalar,
        SequenceNode sequence => sequence with { Items = [.. sequence.Items.Select(Apply)] },
        MappingNode mapping => Apply(mapping),
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    internal MappingNode Apply(MappingNode mapping) =>
        mapping with { Entries = [.. mapping.Entries.Select(e => e with { Value = Apply(e.Value) })] };

    /// <summary>The text with its variables replaced; what is wrong is told at the given place.</summary>
    internal string Text(string text, Place at)
    {
        var result = new StringBuilder(text.Length);
        var i = 0;
        if (!Expand(text, ref i, result, at, nested: false))
            problems.Add(at, $"invalid interpolation in '{text}'; write $$ for a dollar sign");
        return result.ToString();
    }

    private bool Expand(string text, ref int i, StringBuilder into, Place at, bool nested)
    {
        while (i < text.Length)
        {
            var c = text[i];
            if (nested && c == '}')
                return true;
            i++;
            if (c != '$')
            {
                into.Append(c);
                continue;
            }
            if (i >= text.Length)
                return false;
            if (text[i] == '$')
            {
                into.Append('$');
                i++;
            }
            else if (text[i] == '{')
            {
                i++;
                if (!Braced(text, ref i, into, at))
                    return false;
            }
            else
            {
                var name = Name(text, ref i);
                if (name.Length == 0)
                    return false;
                into.Append(Plain(name));
            }
        }
        return !nested;
    }

    private bool Braced(string text, ref int i, StringBuilder into, Place at)
    {
        var name = Name(text, ref i);
        if (name.Length == 0 || i >= text.Length)
            return false;
        if (text[i] == '}')
        {
            i++;
            into.Append(Plain(name));
            return true;
        }
        var emptyCounts = text[i] != ':';
        if (!emptyCounts)
            i++;
        if (i >= text.Length || text[i] is not ('-' or '?' or '+'))
            return false;
        var op = text[i++];
        var value = variable(name);
        var present = value is not null && (emptyCounts || value.Length > 0);

        // The branch not taken is read for its end only: its variables are neither asked for nor missed.
        var word = new StringBuilder();
        var taken = op == '+' ? present : !present;
        var reader = taken ? this : new Interpolation(static _ => "", new ProblemList());
        if (!reader.Expand(text, ref i, word, at, nested: true) || i >= text.Length)
            return false;
        i++;
        switch (op)
        {
            case '-':
                into.Append(present ? value : word.ToString());
                break;
            case '+':
                into.Append(present ? word.ToString() : "");
                break;
            default:
                if (!present)
                    problems.Add(at, $"required variable {name} is missing a value{(word.Length > 0 ? ": " + word : "")}");
                else
                    into.Append(value);
                break;
        }
        return true;
    }

    private string Plain(string name)
    {
        if (variable(name) is { } value)
            return value;
        problems.Warn($"The \"{name}\" variable is not set. Defaulting to a blank string.");
        return "";
    }

    private static string Name(string text, ref int i)
    {
        var start = i;
        if (i < text.Length && (char.IsAsciiLetter(text[i]) || text[i] == '_'))
        {
            while (i < text.Length && (char.IsAsciiLetterOrDigit(text[i]) || text[i] == '_'))
                i++;
        }
        return text[start..i];
    }
}
