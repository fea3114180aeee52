using Orchestrator.Cli.Compose.Syntax;

namespace Orchestrator.Cli.Compose.Reading;

/// <summary>What every part of the reading needs besides its mapping.</summary>
internal sealed record ReadingContext(ComposeInputs Inputs, Func<string, string?> Variable, ProblemList Problems)
{
    /// <summary>A path of the host made absolute: against <c>~</c>'s folder or the first file's.</summary>
    internal string Absolute(string path)
    {
        var full = path == "~" ? Inputs.Home
            : path.StartsWith("~/", StringComparison.Ordinal) ? Path.Combine(Inputs.Home, path[2..])
            : Path.Combine(Inputs.Folder, path);
        var clean = Path.GetFullPath(full);
        return clean.Length > 1 ? clean.TrimEnd('/') : clean;
    }
}
