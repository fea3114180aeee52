using System.Collections.Immutable;
using System.Text;
using System.Text.Json;

namespace Orchestrator.Worker.Images.Build;

/// <summary>Reads the text of a Dockerfile into instructions and finds every mistake that the text alone shows.</summary>
internal static class DockerfileParser
{
    private static readonly ImmutableArray<string> _keywords =
    [
        "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER", "RUN", "SHELL", "STOPSIGNAL",
        "USER", "VOLUME", "WORKDIR",
    ];

    internal static Dockerfile Parse(string text)
    {
        var lines = text.TrimStart('\ufeff').Replace("\r\n", "\n", StringComparison.Ordinal).Split('\n');
        var problems = ImmutableArray.CreateBuilder<DockerfileProblem>();
        var escape = Directive(lines, problems);
        var instructions = ImmutableArray.CreateBuilder<Instruction>();
        foreach (var (line, logical) in Logical(lines, escape))
        {
            if (Read(line, logical, problems) is { } instruction)
            {
                instructions.Add(instruction);
                InstructionChecks.Check(instruction, escape, problems);
            }
        }
        StageChecks.Check(instructions, problems);
        return new(instructions.ToImmutable(), [.. problems.OrderBy(p => p.Line)], escape);
    }

    // Directives are comments of the form "# key=value" before anything else.
    private static char Directive(string[] lines, ImmutableArray<DockerfileProblem>.Builder problems)
    {
        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i].Trim();
            if (line.Length == 0 || line[0] != '#' || line.IndexOf('=', StringComparison.Ordinal) is not (> 0 and var equals))
                return '\\';
            if (!line[1..equals].Trim().Equals("escape", StringComparison.OrdinalIgnoreCase))
                continue;
            var value = line[(equals + 1)..].Trim();
            if (value is "`" or "\\")
                return value[0];
            problems.Add(new(i + 1, $"invalid escape token '{value}': it is ` or \\"));
        }
        return '\\';
    }

    /// <summary>Joins continued lines; comments and empty lines inside a continuation vanish.</summary>
    private static IEnumerable<(int Line, string Text)> Logical(string[] lines, char escape)
    {
        var (start, text) = (0, new StringBuilder());
        for (var i = 0; i < lines.Length; i++)
        {
            var trimmed = lines[i].Trim();
            if (trimmed.StartsWith('#') || (trimmed.Length == 0))
                continue;
            if (text.Length == 0)
                start = i + 1;
            var body = text.Length == 0 ? lines[i].TrimStart() : lines[i];
            var end = body.TrimEnd();
            if (end.EndsWith(escape))
            {
                text.Append(end, 0, end.Length - 1);
                // A lone escape still opens the instruction.
                if (text.Length == 0)
                    text.Append(' ');
                continue;
            }
            text.Append(body.TrimEnd());
            yield return (start, text.ToString().Trim());
            text.Clear();
        }
        if (text.Length > 0)
            yield return (start, text.ToString().Trim());
    }

    private static Instruction? Read(int line, string text, ImmutableArray<DockerfileProblem>.Builder problems)
    {
        var space = text.AsSpan().IndexOfAny(' ', '\t');
        var word = space < 0 ? text : text[..space];
        var keyword = word.ToUpperInvariant();
        if (!_keywords.Contains(keyword))
        {
            problems.Add(new(line, keyword == "ONBUILD"
                ? "ONBUILD is not supported: write the instruction in the Dockerfile that uses the image"
                : $"unknown instruction: {word}{Suggestion(keyword)}"));
            return null;
        }
        var rest = space < 0 ? "" : text[(space + 1)..].Trim();
        var flags = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        while (rest.StartsWith("--", StringComparison.Ordinal) && keyword is not ("CMD" or "ENTRYPOINT" or "ENV" or "LABEL" or "SHELL"))
        {
            var end = rest.AsSpan().IndexOfAny(' ', '\t');
            var flag = end < 0 ? rest : rest[..end];
            rest = end < 0 ? "" : rest[(end + 1)..].TrimStart();
            if (flag == "--")
                break;
            var equals = flag.IndexOf('=', StringComparison.Ordinal);
            flags[equals < 0 ? flag[2..] : flag[2..equals]] = equals < 0 ? "" : flag[(equals + 1)..];
        }
        return new() { Line = line, Keyword = keyword, Text = $"{keyword} {text[word.Length..].Trim()}".TrimEnd(), Flags = flags.ToImmutable(), Rest = rest, Exec = Array(rest) };
    }

    /// <summary>The strings of a JSON array; anything else is shell form, as Docker has it.</summary>
    internal static ImmutableArray<string>? Array(string rest)
    {
        if (!rest.StartsWith('['))
            return null;
        try
        {
            return JsonSerializer.Deserialize(rest, BuildJson.Default.StringArray) is { } strings && System.Array.TrueForAll(strings, s => s is not null) ? [.. strings] : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string Suggestion(string keyword)
    {
        var (best, distance) = _keywords.Select(k => (k, Distance(keyword, k))).MinBy(p => p.Item2);
        return distance <= Math.Max(1, keyword.Length / 3) ? $" (did you mean {best}?)" : "";
    }

    // Levenshtein, one row at a time.
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j] + 1, row[j - 1] + 1), diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)));
        }
        return row[^1];
    }
}
