using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Compose;

/// <summary>Everything outside the text that a stack file's meaning depends on.</summary>
internal sealed record ComposeInputs
{
    /// <summary>Each file's name as the user wrote it, with its text, the later laid over the earlier.</summary>
    public required IReadOnlyList<ComposeText> Files { get; init; }

    /// <summary>Relative paths start here: the folder of the first file, absolute.</summary>
    public required string Folder { get; init; }

    /// <summary>What <c>~</c> stands for.</summary>
    public string Home { get; init; } = "/";
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Text of a file by absolute path, or null when there is none.</summary>
    public Func<string, string?> ReadFile { get; init; } = static _ => null;

    /// <summary>The same for files that need not be text: those of secrets and configs.</summary>
    public Func<string, byte[]?> ReadBytes { get; init; } = static _ => null;
}

internal sealed record ComposeText(string Name, string Text);

/// <summary>A stack file's meaning, or every problem in it; warnings come with both.</summary>
internal sealed record ComposeResult(ComposeFile? File, IReadOnlyList<Problem> Problems, IReadOnlyList<string> Warnings);
