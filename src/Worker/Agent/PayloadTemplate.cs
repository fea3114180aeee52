using System.Text;
using Orchestrator.Shared.Protocol;

namespace Orchestrator.Worker.Agent;

/// <summary>What the text of a secret or config may ask for besides its task: each is null for what is not there.</summary>
internal sealed record TemplateSources(Func<string, string?> Environment, Func<string, string?> Secret, Func<string, string?> Config);

/// <summary>
/// Secrets and configs with the template driver <c>golang</c> (swarmkit, template/context.go): <c>{{ .Service.Name }}</c> and the other
/// placeholders, <c>env</c>, <c>secret</c>, <c>config</c>, comments, and <c>{{- -}}</c>. What else Go's templates know is refused by name.
/// </summary>
internal static class PayloadTemplate
{
    private static readonly string[] Control = ["if", "else", "end", "range", "with", "define", "template", "block", "break", "continue"];

    /// <exception cref="TemplateFailedException">The text is no template, or asks for what is not there; the message is a sentence.</exception>
    internal static string Expand(string text, TaskAssignment assignment, string nodeHostname, TemplateSources sources)
    {
        var result = new StringBuilder(text.Length);
        var at = 0;
        while (text.IndexOf("{{", at, StringComparison.Ordinal) is var open and >= 0)
        {
            var (inner, next) = Action(text, open);
            var (trimBefore, trimAfter) = (inner.StartsWith("- ", StringComparison.Ordinal), inner.EndsWith(" -", StringComparison.Ordinal));
            var before = text[at..open];
            result.Append(trimBefore ? before.TrimEnd() : before);
            var action = inner[(trimBefore ? 2 : 0)..^(trimAfter && inner.Length > 2 ? 2 : 0)].Trim();
            if (!action.StartsWith("/*", StringComparison.Ordinal))
                result.Append(Value(action, Line(text, open), assignment, nodeHostname, sources));
            at = next;
            if (trimAfter)
            {
                while (at < text.Length && char.IsWhiteSpace(text[at]))
                    at++;
            }
        }

        return result.Append(text.AsSpan(at)).ToString();
    }

    /// <summary>What stands between the braces, whose end may not be looked for inside quotes; and where the text goes on.</summary>
    private static (string Inner, int Next) Action(string text, int open)
    {
        var quote = '\0';
        for (var i = open + 2; i < text.Length; i++)
        {
            var c = text[i];
            if (quote != '\0')
            {
                if (c == '\\' && quote == '"')
                    i++;
                else if (c == quote)
                    quote = '\0';
            }
            else if (c is '"' or '`')
            {
                quote = c;
            }
            else if (c == '}' && i + 1 < text.Length && text[i + 1] == '}')
            {
                return (text[(open + 2)..i], i + 2);
            }
        }

        throw new TemplateFailedException($"line {Line(text, open)}: '{{{{' is not closed");
    }

    private static string Value(string action, int line, TaskAssignment assignment, string nodeHostname, TemplateSources sources)
    {
        var words = Words(action, line);
        if (words is [{ Quoted: true, Text: var literal }])
            return literal;
        if (words is [{ Quoted: false, Text: "env" or "secret" or "config" } function, { Quoted: true, Text: var name }])
        {
            return function.Text switch
            {
                "env" => sources.Environment(name) ?? "",
                "secret" => sources.Secret(name) ?? throw Missing("secret", name, line),
                _ => sources.Config(name) ?? throw Missing("config", name, line),
            };
        }

        if (words.Count > 0 && words[0] is { Quoted: false, Text: "env" or "secret" or "config" } incomplete)
            throw new TemplateFailedException($"line {line}: {incomplete.Text} takes one name in quotes, as in {{{{ {incomplete.Text} \"NAME\" }}}}");
        var placeholder = string.Join(' ', words.Select(w => w.Quoted ? $"\"{w.Text}\"" : w.Text));
        if (TaskTemplate.Value(placeholder, assignment, nodeHostname) is { } value)
            return value;
        var first = words is [{ Quoted: false } one, ..] ? one.Text : action;
        if (Control.Contains(first) || words.Any(w => w is { Quoted: false, Text: "|" }))
            throw new TemplateFailedException($"line {line}: '{action}' does not work in templates of secrets and configs: placeholders, env, secret and config do");
        throw new TemplateFailedException(first.StartsWith('.')
            ? $"line {line}: '{action}' is no placeholder of a task"
            : $"line {line}: function \"{first}\" not defined");
    }

    private static List<(string Text, bool Quoted)> Words(string action, int line)
    {
        var words = new List<(string, bool)>();
        for (var i = 0; i < action.Length;)
        {
            if (char.IsWhiteSpace(action[i]))
            {
                i++;
            }
            else if (action[i] is '"' or '`')
            {
                var quote = action[i++];
                var word = new StringBuilder();
                while (action[i] != quote)
                {
                    if (quote == '"' && action[i] == '\\')
                        word.Append(Escaped(action[++i], line));
                    else
                        word.Append(action[i]);
                    i++;
                }

                i++;
                words.Add((word.ToString(), true));
            }
            else
            {
                var start = i;
                while (i < action.Length && !char.IsWhiteSpace(action[i]) && action[i] is not ('"' or '`'))
                    i++;
                words.Add((action[start..i], false));
            }
        }

        return words;
    }

    private static char Escaped(char c, int line) => c switch
    {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        '"' or '\\' => c,
        _ => throw new TemplateFailedException($"line {line}: '\\{c}' is no escape of a quoted text"),
    };

    private static int Line(string text, int at) => 1 + text.AsSpan(0, at).Count('\n');

    private static TemplateFailedException Missing(string noun, string name, int line) =>
        new($"line {line}: the service has no {noun} with the target or name '{name}'");
}

/// <summary>A template that cannot be filled in; the message says where and why.</summary>
internal sealed class TemplateFailedException(string message) : Exception(message);
