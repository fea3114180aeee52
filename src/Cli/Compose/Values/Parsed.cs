namespace Orchestrator.Cli.Compose.Values;

/// <summary>A value read from text, or the sentence saying why the text is not one.</summary>
internal readonly record struct Parsed<T>(T Value, string? Error)
{
    public static implicit operator Parsed<T>(T value) => new(value, null);

    internal static Parsed<T> Not(string error) => new(default!, error);
}
