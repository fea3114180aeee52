using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Compose.Syntax;

/// <summary>Everything wrong with the files of one stack, gathered so that it is told at once.</summary>
internal sealed class ProblemList
{
    private readonly List<(Place At, string Message)> _found = [];
    private readonly List<string> _warnings = [];

    internal bool Any => _found.Count > 0;

    internal bool Has(Place at) => _found.Exists(p => p.At == at);

    internal void Add(Place at, string message)
    {
        if (!_found.Contains((at, message)))
            _found.Add((at, message));
    }

    internal void Warn(string message)
    {
        if (!_warnings.Contains(message))
            _warnings.Add(message);
    }

    internal IReadOnlyList<string> Warnings => _warnings;

    /// <summary>By file in the order given, then by line and column.</summary>
    internal IReadOnlyList<Problem> InOrder(IReadOnlyList<string> files)
    {
        var rank = files.Select((file, i) => (file, i)).DistinctBy(f => f.file).ToDictionary(f => f.file, f => f.i, StringComparer.Ordinal);
        return [.. _found
            .OrderBy(p => rank.GetValueOrDefault(p.At.File, int.MaxValue))
            .ThenBy(p => p.At)
            .Select(p => new Problem(p.At.ToString(), p.Message))];
    }
}
