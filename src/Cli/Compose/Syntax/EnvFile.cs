using System.Text;

namespace Orchestrator.Cli.Compose.Syntax;

/// <summary>Files of <c>NAME=value</c> lines: <c>.env</c> and <c>env_file</c>.</summary>
/// <remarks>Quotes as in compose: single ones keep everything, double ones know \n \t \" \\ and variables; a value without quotes ends at " #".</remarks>
internal static class EnvFile
{
    /// <summary>A null value means that the line names a variable only, to be taken from the environment.</summary>
    internal static IReadOnlyList<KeyValuePair<string, string?>> Parse(
        string file, string text, Func<string, string?> variable, ProblemList problems)
    {
        var found = new List<KeyValuePair<string, string?>>();
        var lines = text.Split('\n');
        var interpolation = new Interpolation(
            name => found.FindLast(p => p.Key == name).Value ?? variable(name), problems);
        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i].TrimEnd('\r').TrimStart();
            if (i == 0)
                line = line.TrimStart('\uFEFF');
            if (line.Length == 0 || line[0] == '#')
                continue;
            if (line.StartsWith("export ", StringComparison.Ordinal))
                line = line[7..].TrimStart();
            var at = new Place(file, i + 1, 1);
            var equals = line.IndexOf('=');
            var name = (equals < 0 ? line : line[..equals]).Trim();
            if (name.Length == 0 || name.Any(char.IsWhiteSpace))
            {
                problems.Add(at, $"expected NAME=value, found '{line}'");
                continue;
            }
            found.Add(new(name, equals < 0 ? null : Value(line[(equals + 1)..].TrimStart(), lines, ref i, at, interpolation, problems)));
        }
        return found;
    }

    private static string Value(string rest, string[] lines, ref int i, Place at, Interpolation interpolation, ProblemList problems)
    {
        if (rest is not ['\'' or '"', ..])
        {
            var comment = rest.IndexOf(" #", StringComparison.Ordinal);
            var plain = (rest is ['#', ..] ? "" : comment < 0 ? rest : rest[..comment]).TrimEnd();
            return plain.Contains('$') ? interpolation.Text(plain, at) : plain;
        }
        var quote = rest[0];
        var body = rest[1..];
        while (true)
        {
            var end = Closing(body, quote);
            if (end >= 0)
            {
                body = body[..end];
                break;
            }
            if (i + 1 >= lines.Length)
            {
                problems.Add(at, $"the quote {quote} is not closed");
                return body;
            }
            body += "\n" + lines[++i].TrimEnd('\r');
        }
        if (quote == '\'')
            return body;
        var text = Unescape(body);
        return text.Contains('$') ? interpolation.Text(text, at) : text;
    }

    private static int Closing(string body, char quote)
    {
        for (var i = 0; i < body.Length; i++)
        {
            if (body[i] == '\\' && quote == '"')
                i++;
            else if (body[i] == quote)
                return i;
        }
        return -1;
    }

    private static string Unescape(string body)
    {
        var text = new StringBuilder(body.Length);
        for (var i = 0; i < body.Length; i++)
        {
            if (body[i] != '\\' || i + 1 >= body.Length)
            {
                text.Append(body[i]);
                continue;
            }
            i++;
            text.Append(body[i] switch { 'n' => "\n", 't' => "\t", 'r' => "\r", '$' => "$$", '"' => "\"", '\\' => "\\", var c => "\\" + c });
        }
        return text.ToString();
    }
}
