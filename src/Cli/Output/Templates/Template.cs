using System.Text;
using System.Text.Json;

namespace Orchestrator.Cli.Output.Templates;

/// <summary>A Go template (pkg.go.dev/text/template) over JSON, with docker's functions.</summary>
internal sealed class Template
{
    private readonly IReadOnlyList<Part> _parts;

    private Template(IReadOnlyList<Part> parts) => _parts = parts;

    /// <exception cref="TemplateException">The text is not a template.</exception>
    internal static Template Parse(string text) => new(TemplateParser.Parse(text));

    /// <exception cref="TemplateException">A field or function does not exist, or an argument does not fit.</exception>
    internal string Render(JsonElement data) => Render((object)data);

    /// <summary>Over JSON of a known type: what the type has and the JSON leaves out is empty, what the type has not is a mistake.</summary>
    internal string Render(Typed data) => Render((object)data);

    private string Render(object data)
    {
        var run = new Run(data);
        run.Write(_parts, data);
        return run.Text.ToString();
    }

    private sealed class Run(object root)
    {
        private readonly List<(string Name, object? Value)> _variables = [("$", root)];

        internal StringBuilder Text { get; } = new();

        internal void Write(IReadOnlyList<Part> parts, object? dot)
        {
            var scope = _variables.Count;
            foreach (var part in parts)
            {
                switch (part)
                {
                    case TextPart text:
                        Text.Append(text.Text);
                        break;
                    case OutputPart output:
                        var value = Value(output.Value, dot);
                        if (output.Value.Into is null)
                            Text.Append(Values.Print(value));
                        break;
                    case IfPart choice:
                        Write(Values.IsTrue(Value(choice.Condition, dot)) ? choice.Then : choice.Otherwise, dot);
                        break;
                    case WithPart with:
                        var inner = Value(with.Value, dot);
                        if (Values.IsTrue(inner))
                            Write(with.Then, inner);
                        else
                            Write(with.Otherwise, dot);
                        break;
                    case RangePart range:
                        Range(range, dot);
                        break;
                }
            }
            _variables.RemoveRange(scope, _variables.Count - scope);
        }

        private void Range(RangePart range, object? dot)
        {
            var any = false;
            foreach (var (key, item) in Values.Items(Value(range.Over, dot)))
            {
                any = true;
                var scope = _variables.Count;
                if (range.Key is not null)
                    _variables.Add((range.Key, key));
                if (range.Item is not null)
                    _variables.Add((range.Item, item));
                Write(range.Body, item);
                _variables.RemoveRange(scope, _variables.Count - scope);
            }
            if (!any)
                Write(range.Otherwise, dot);
        }

        private object? Value(Pipeline pipeline, object? dot)
        {
            object? value = null;
            for (var i = 0; i < pipeline.Calls.Count; i++)
                value = Value(pipeline.Calls[i], dot, i > 0, value);
            if (pipeline.Into is { } name)
                _variables.Add((name, value));
            return value;
        }

        private object? Value(Call call, object? dot, bool piped, object? previous)
        {
            var first = call.Words[0];
            var arguments = call.Words.Skip(1).Select(w => Value(w, dot)).ToList();
            if (piped)
                arguments.Add(previous);
            if (first is FunctionOperand function)
                return Functions.Call(function.Name, arguments, function.Column);
            if (arguments.Count == 0)
                return Value(first, dot);
            if (first is DotOperand { Members: [("Label", _)] } && arguments is [string label])
                return Values.Label(dot, label);
            throw new TemplateException(first.Column, "a value takes no arguments");
        }

        private object? Value(Operand operand, object? dot)
        {
            var value = operand switch
            {
                DotOperand => dot,
                LiteralOperand literal => literal.Value,
                VariableOperand variable => Variable(variable),
                GroupOperand group => Value(group.Inside, dot),
                FunctionOperand function => Functions.Call(function.Name, [], function.Column),
                _ => throw new System.Diagnostics.UnreachableException(),
            };
            foreach (var (name, column) in operand.Members)
                value = Values.Member(value, name, column);
            return value;
        }

        private object? Variable(VariableOperand variable)
        {
            var i = _variables.FindLastIndex(v => v.Name == variable.Name);
            return i >= 0 ? _variables[i].Value : throw new TemplateException(variable.Column, $"undefined variable '{variable.Name}'");
        }
    }
}
