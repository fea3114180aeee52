using System.Globalization;
using System.Text;

namespace Orchestrator.Cli.Output.Templates;

internal enum TokenKind
{
    Text,
    Open,
    Close,
    Word,
    Field,
    Variable,
    TextLiteral,
    Number,
    Symbol,
}

/// <param name="Column">Where it begins in the template, from 1.</param>
internal readonly record struct Token(TokenKind Kind, string Text, int Column);

/// <summary>Go's text/template grammar, as far as people use it with <c>--format</c>, in tokens.</summary>
internal static class Lexer
{
    internal static List<Token> Read(string template)
    {
        var tokens = new List<Token>();
        var i = 0;
        var trimNext = false;
        while (i < template.Length)
        {
            var open = template.IndexOf("{{", i, StringComparison.Ordinal);
            var text = open < 0 ? template[i..] : template[i..open];
            var trimThis = open >= 0 && open + 3 < template.Length && template[open + 2] == '-' && char.IsWhiteSpace(template[open + 3]);
            if (trimNext)
                text = text.TrimStart();
            if (trimThis)
                text = text.TrimEnd();
            if (text.Length > 0)
                tokens.Add(new Token(TokenKind.Text, text, i + 1));
            if (open < 0)
                break;
            i = open + (trimThis ? 3 : 2);
            if (template.AsSpan(i).TrimStart().StartsWith("/*"))
            {
                i = Comment(template, open, i, out trimNext);
                continue;
            }
            tokens.Add(new Token(TokenKind.Open, "{{", open + 1));
            i = Action(template, open, i, tokens, out trimNext);
        }
        return tokens;
    }

    private static int Comment(string template, int open, int i, out bool trim)
    {
        var end = template.IndexOf("*/", i, StringComparison.Ordinal);
        var close = end < 0 ? -1 : template.IndexOf("}}", end, StringComparison.Ordinal);
        if (close < 0)
            throw new TemplateException(open + 1, "the comment is not closed");
        trim = template[close - 1] == '-';
        return close + 2;
    }

    private static int Action(string template, int open, int i, List<Token> tokens, out bool trim)
    {
        while (i < template.Length)
        {
            var c = template[i];
            if (template.AsSpan(i).StartsWith("}}") || (c == '-' && template.AsSpan(i).StartsWith("-}}") && char.IsWhiteSpace(template[i - 1])))
            {
                trim = c == '-';
                tokens.Add(new Token(TokenKind.Close, "}}", i + 1));
                return i + (trim ? 3 : 2);
            }
            if (char.IsWhiteSpace(c))
                i++;
            else if (c is '"' or '`')
                i = Quoted(template, i, tokens);
            else if (char.IsAsciiDigit(c) || (c is '-' or '+' && i + 1 < template.Length && char.IsAsciiDigit(template[i + 1])))
                i = Run(template, i, tokens, TokenKind.Number, static ch => char.IsAsciiDigit(ch) || ch is '.' or '-' or '+');
            else if (c == '.')
                i = Run(template, i, tokens, TokenKind.Field, IsName);
            else if (c == '$')
                i = Run(template, i, tokens, TokenKind.Variable, IsName);
            else if (IsName(c))
                i = Run(template, i, tokens, TokenKind.Word, IsName);
            else if (template.AsSpan(i).StartsWith(":="))
                i = Symbol(":=", i, tokens);
            else if (c is '|' or '(' or ')' or ',' or '=')
                i = Symbol(c.ToString(), i, tokens);
            else
                throw new TemplateException(i + 1, $"unexpected '{c}'");
        }
        throw new TemplateException(open + 1, "the action is not closed with }}");
    }

    private static bool IsName(char c) => char.IsLetterOrDigit(c) || c == '_';

    private static int Symbol(string text, int i, List<Token> tokens)
    {
        tokens.Add(new Token(TokenKind.Symbol, text, i + 1));
        return i + text.Length;
    }

    private static int Run(string template, int start, List<Token> tokens, TokenKind kind, Func<char, bool> belongs)
    {
        var i = start + 1;
        while (i < template.Length && belongs(template[i]))
            i++;
        tokens.Add(new Token(kind, template[start..i], start + 1));
        return i;
    }

    private static int Quoted(string template, int start, List<Token> tokens)
    {
        var quote = template[start];
        var text = new StringBuilder();
        for (var i = start + 1; i < template.Length; i++)
        {
            if (template[i] == quote)
            {
                tokens.Add(new Token(TokenKind.TextLiteral, text.ToString(), start + 1));
                return i + 1;
            }
            if (quote == '`' || template[i] != '\\' || i + 1 >= template.Length)
            {
                text.Append(template[i]);
                continue;
            }
            i++;
            text.Append(template[i] switch
            {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                '\\' or '"' or '\'' => template[i],
                var c => throw new TemplateException(i, string.Create(CultureInfo.InvariantCulture, $"unknown escape '\\{c}'")),
            });
        }
        throw new TemplateException(start + 1, "the text is not closed");
    }
}
