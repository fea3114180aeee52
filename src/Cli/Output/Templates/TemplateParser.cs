using System.Globalization;

namespace Orchestrator.Cli.Output.Templates;

/// <summary>Tokens to parts, by recursive descent.</summary>
internal sealed class TemplateParser(List<Token> tokens)
{
    private int _at;

    internal static IReadOnlyList<Part> Parse(string template)
    {
        var parser = new TemplateParser(Lexer.Read(template));
        var parts = parser.Parts(out var ending);
        return ending is null ? parts : throw new TemplateException(ending.Value.Column, $"unexpected {{{{{ending.Value.Text}}}}}");
    }

    /// <summary>Reads up to <c>end</c> or <c>else</c>, which is given back, or to the template's end.</summary>
    private List<Part> Parts(out Token? ending)
    {
        var parts = new List<Part>();
        while (_at < tokens.Count)
        {
            var token = tokens[_at++];
            if (token.Kind == TokenKind.Text)
            {
                parts.Add(new TextPart(token.Text));
                continue;
            }
            var first = Peek();
            if (first is { Kind: TokenKind.Word, Text: "end" or "else" })
            {
                _at++;
                ending = first;
                return parts;
            }
            parts.Add(first is { Kind: TokenKind.Word, Text: "if" or "range" or "with" } ? Block(tokens[_at++]) : Output());
        }
        ending = null;
        return parts;
    }

    private OutputPart Output()
    {
        var value = Pipeline();
        Close();
        return new OutputPart(value);
    }

    private Part Block(Token word)
    {
        string? key = null, item = null;
        if (word.Text == "range")
            (key, item) = RangeVariables();
        var value = Pipeline();
        Close();
        var body = Parts(out var ending);
        IReadOnlyList<Part> otherwise = [];
        if (ending is { Text: "else" })
        {
            if (Peek() is { Kind: TokenKind.Word, Text: "if" or "with" } chained)
            {
                _at++;
                otherwise = [Block(chained)];
                ending = new Token(TokenKind.Word, "end", chained.Column);
                return Make(word, key, item, value, body, otherwise);
            }
            Close();
            otherwise = Parts(out ending);
        }
        if (ending is not { Text: "end" })
            throw new TemplateException(word.Column, $"{{{{{word.Text}}}}} has no {{{{end}}}}");
        Close();
        return Make(word, key, item, value, body, otherwise);
    }

    private static Part Make(Token word, string? key, string? item, Pipeline value, IReadOnlyList<Part> body, IReadOnlyList<Part> otherwise) => word.Text switch
    {
        "if" => new IfPart(value, body, otherwise),
        "with" => new WithPart(value, body, otherwise),
        _ => new RangePart(key, item, value, body, otherwise),
    };

    /// <summary><c>$item :=</c> or <c>$key, $item :=</c>.</summary>
    private (string?, string?) RangeVariables()
    {
        if (Peek(1) is { Text: ":=" } && Peek() is { Kind: TokenKind.Variable } one)
        {
            _at += 2;
            return (null, one.Text);
        }
        if (Peek(1) is { Text: "," } && Peek(3) is { Text: ":=" } && Peek() is { Kind: TokenKind.Variable } key && Peek(2) is { Kind: TokenKind.Variable } item)
        {
            _at += 4;
            return (key.Text, item.Text);
        }
        return (null, null);
    }

    private Pipeline Pipeline()
    {
        string? into = null;
        if (Peek() is { Kind: TokenKind.Variable } variable && Peek(1) is { Text: ":=" or "=" })
        {
            into = variable.Text;
            _at += 2;
        }
        var calls = new List<Call> { Call() };
        while (Peek() is { Kind: TokenKind.Symbol, Text: "|" })
        {
            _at++;
            calls.Add(Call());
        }
        return new Pipeline(into, calls);
    }

    private Call Call()
    {
        var words = new List<Operand>();
        while (Peek() is { } token && token.Kind != TokenKind.Close && token.Text is not ("|" or ")"))
            words.Add(Operand());
        return words.Count > 0 ? new Call(words) : throw new TemplateException(Peek()?.Column ?? 1, "a value is missing");
    }

    private Operand Operand()
    {
        var token = tokens[_at++];
        Operand operand = token.Kind switch
        {
            TokenKind.Field when token.Text == "." => new DotOperand(token.Column),
            TokenKind.Field => new DotOperand(token.Column) { Members = [(token.Text[1..], token.Column)] },
            TokenKind.Variable => new VariableOperand(token.Text, token.Column),
            TokenKind.TextLiteral => new LiteralOperand(token.Text, token.Column),
            TokenKind.Number => Number(token),
            TokenKind.Word when token.Text is "true" or "false" => new LiteralOperand(token.Text == "true", token.Column),
            TokenKind.Word when token.Text == "nil" => new LiteralOperand(null, token.Column),
            TokenKind.Word => new FunctionOperand(token.Text, token.Column),
            TokenKind.Symbol when token.Text == "(" => Group(token),
            _ => throw new TemplateException(token.Column, $"unexpected '{token.Text}'"),
        };

        // Members follow without a blank: '.A.B' is one value, '.A .B' are two.
        var end = token.Kind == TokenKind.Symbol ? tokens[_at - 1].Column + 1 : token.Column + token.Text.Length;
        while (token.Kind is TokenKind.Field or TokenKind.Variable or TokenKind.Symbol
            && Peek() is { Kind: TokenKind.Field } member && member.Column == end && member.Text.Length > 1)
        {
            _at++;
            end = member.Column + member.Text.Length;
            operand = operand with { Members = [.. operand.Members, (member.Text[1..], member.Column)] };
        }
        return operand;
    }

    private GroupOperand Group(Token open)
    {
        var inside = Pipeline();
        if (Peek() is not { Text: ")" })
            throw new TemplateException(open.Column, "the parenthesis is not closed");
        _at++;
        return new GroupOperand(inside, open.Column);
    }

    private static LiteralOperand Number(Token token)
    {
        if (long.TryParse(token.Text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole))
            return new LiteralOperand(whole, token.Column);
        return double.TryParse(token.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? new LiteralOperand(number, token.Column)
            : throw new TemplateException(token.Column, $"'{token.Text}' is not a number");
    }

    private void Close()
    {
        if (Peek() is not { Kind: TokenKind.Close })
            throw new TemplateException(Peek()?.Column ?? tokens[^1].Column, $"expected }}}}, found '{Peek()?.Text}'");
        _at++;
    }

    private Token? Peek(int ahead = 0) => _at + ahead < tokens.Count ? tokens[_at + ahead] : null;
}
