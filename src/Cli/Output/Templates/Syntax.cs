namespace Orchestrator.Cli.Output.Templates;

/// <summary>A part of a template between or inside its actions.</summary>
internal abstract record Part;

internal sealed record TextPart(string Text) : Part;

internal sealed record OutputPart(Pipeline Value) : Part;

internal sealed record IfPart(Pipeline Condition, IReadOnlyList<Part> Then, IReadOnlyList<Part> Otherwise) : Part;

/// <summary><c>with</c>: like <c>if</c>, and the value becomes the dot.</summary>
internal sealed record WithPart(Pipeline Value, IReadOnlyList<Part> Then, IReadOnlyList<Part> Otherwise) : Part;

internal sealed record RangePart(string? Key, string? Item, Pipeline Over, IReadOnlyList<Part> Body, IReadOnlyList<Part> Otherwise) : Part;

/// <param name="Into">The variable that takes the value, which then is not printed.</param>
internal sealed record Pipeline(string? Into, IReadOnlyList<Call> Calls);

/// <summary>Words in a row: a function and its arguments, or one value.</summary>
internal sealed record Call(IReadOnlyList<Operand> Words);

internal abstract record Operand(int Column)
{
    /// <summary>Members taken one after another from the value: <c>.A.B</c>.</summary>
    public IReadOnlyList<(string Name, int Column)> Members { get; init; } = [];
}

internal sealed record DotOperand(int Column) : Operand(Column);

internal sealed record VariableOperand(string Name, int Column) : Operand(Column);

internal sealed record LiteralOperand(object? Value, int Column) : Operand(Column);

internal sealed record FunctionOperand(string Name, int Column) : Operand(Column);

internal sealed record GroupOperand(Pipeline Inside, int Column) : Operand(Column);
