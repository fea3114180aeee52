namespace Orchestrator.Shared.Model.Validation;

/// <summary>Collects every problem of a value instead of stopping at the first.</summary>
internal sealed class Findings
{
    private readonly List<Problem> problems = [];

    internal IReadOnlyList<Problem> Problems => problems;

    internal void Add(string where, string message) => problems.Add(new(where, message));

    internal void When(bool wrong, string where, string message)
    {
        if (wrong)
            Add(where, message);
    }

    internal void Unsupported(bool used, string where, string what) => When(used, where, what + " are not supported yet");
}
