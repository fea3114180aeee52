namespace Orchestrator.Cli.Output.Templates;

/// <summary>A template that cannot be read or carried out; columns count from 1.</summary>
internal sealed class TemplateException(int column, string message) : Exception($"template: column {column}: {message}")
{
    internal int Column { get; } = column;
}
