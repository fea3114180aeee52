using System.Text;

namespace Orchestrator.Worker.Images.Build;

/// <summary>Words of instructions: splitting, quotes and substitution of <c>$NAME</c> and <c>${NAME:-word}</c>.</summary>
internal static class Words
{
    /// <summary>By white space alone, quotes mean nothing (COPY, EXPOSE, FROM).</summary>
    internal static List<string> Split(string text) => [.. text.Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)];

    /// <summary>By white space outside quotes; quotes and escapes stay for <see cref="Expand"/> (ENV, LABEL, ARG).</summary>
    internal static List<string> SplitQuoted(string text, char escape)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var quote = '\0';
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (quote == '\0' && c is ' ' or '\t' && quote == '\0')
            {
                if (word.Length > 0)
                    words.Add(word.ToString());
                word.Clear();
                continue;
            }
            word.Append(c);
            if (c == escape && quote != '\'' && i + 1 < text.Length)
                word.Append(text[++i]);
            else if (quote == '\0' && c is '"' or '\'' && quote == '\0')
                quote = c;
            else if (c == quote)
                quote = '\0';
        }
        if (word.Length > 0)
            words.Add(word.ToString());
        return words;
    }

    /// <summary>Takes quotes and escapes away and puts values in; an unknown name is empty.</summary>
    /// <exception cref="FormatException">A brace or quote is not closed, or a modifier is unknown.</exception>
    internal static string Expand(string word, char escape, Func<string, string?> lookup)
    {
        var at = 0;
        return Run(word, ref at, escape, lookup, '\0');
    }

    private static string Run(string word, ref int at, char escape, Func<string, string?> lookup, char until)
    {
        var result = new StringBuilder();
        var quote = '\0';
        while (at < word.Length)
        {
            var c = word[at];
            if (quote == '\'')
            {
                at++;
                if (c == '\'')
                    quote = '\0';
                else
                    result.Append(c);
            }
            else if (c == until && quote == '\0')
            {
                return result.ToString();
            }
            else if (c == escape && at + 1 < word.Length)
            {
                // Inside double quotes the escape is special only before what it could protect.
                if (quote == '"' && word[at + 1] is not ('"' or '$') && word[at + 1] != escape)
                    result.Append(c);
                result.Append(word[at + 1]);
                at += 2;
            }
            else if (c == '$')
            {
                result.Append(Variable(word, ref at, escape, lookup));
            }
            else if (c == '"' || (c == '\'' && quote == '\0'))
            {
                quote = quote == '\0' ? c : '\0';
                at++;
            }
            else
            {
                result.Append(c);
                at++;
            }
        }
        if (quote != '\0')
            throw new FormatException($"unexpected end of statement while looking for matching {(quote == '"' ? "double" : "single")}-quote");
        return until == '\0' ? result.ToString() : throw new FormatException($"syntax error: missing '{until}'");
    }

    private static string Variable(string word, ref int at, char escape, Func<string, string?> lookup)
    {
        at++;
        if (at < word.Length && word[at] == '{')
        {
            at++;
            var name = Name(word, ref at);
            if (name.Length == 0 || at >= word.Length)
                throw new FormatException($"bad substitution in {word}");
            var value = lookup(name);
            if (word[at] == '}')
            {
                at++;
                return value ?? "";
            }
            var emptyCounts = word[at] == ':';
            if (emptyCounts)
                at++;
            var modifier = at < word.Length ? word[at++] : '\0';
            var alternative = Run(word, ref at, escape, lookup, '}');
            at++;
            var isSet = value is not null && !(emptyCounts && value.Length == 0);
            return modifier switch
            {
                '-' => isSet ? value! : alternative,
                '+' => isSet ? alternative : "",
                '?' => isSet ? value! : throw new FormatException($"{name}: {(alternative.Length > 0 ? alternative : "not allowed to be empty or unset")}"),
                _ => throw new FormatException($"unsupported modifier ({modifier}) in substitution of {name}"),
            };
        }
        var plain = Name(word, ref at);
        return plain.Length == 0 ? "$" : lookup(plain) ?? "";
    }

    private static string Name(string word, ref int at)
    {
        var start = at;
        while (at < word.Length && (char.IsAsciiLetterOrDigit(word[at]) || word[at] == '_') && !(at == start && char.IsAsciiDigit(word[at])))
            at++;
        return word[start..at];
    }
}

/// <summary>The <c>KEY=value</c> arguments of ENV and LABEL, and their old form <c>KEY value</c>.</summary>
internal static class KeyValues
{
    internal static string? Problem(Instruction instruction, char escape)
    {
        var words = Words.SplitQuoted(instruction.Rest, escape);
        if (!words[0].Contains('='))
            return words.Count < 2 ? $"{instruction.Keyword} must have two arguments: {instruction.Keyword} name=value" : null;
        if (words.Find(w => !w.Contains('=')) is { } wrong)
            return $"syntax error - can't find = in \"{wrong}\". Must be of the form: name=value";
        return words.Exists(w => w.StartsWith('=')) ? $"{instruction.Keyword} names can not be blank" : null;
    }

    internal static IEnumerable<KeyValuePair<string, string>> Read(Instruction instruction, char escape, Func<string, string?> lookup)
    {
        var words = Words.SplitQuoted(instruction.Rest, escape);
        if (!words[0].Contains('='))
        {
            var value = instruction.Rest[words[0].Length..].TrimStart();
            return [KeyValuePair.Create(Words.Expand(words[0], escape, lookup), Words.Expand(value, escape, lookup))];
        }
        return words.Select(w =>
        {
            var equals = w.IndexOf('=', StringComparison.Ordinal);
            return KeyValuePair.Create(Words.Expand(w[..equals], escape, lookup), Words.Expand(w[(equals + 1)..], escape, lookup));
        }).ToList();
    }
}
