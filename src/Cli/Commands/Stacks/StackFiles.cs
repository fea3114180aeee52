using Orchestrator.Cli.Compose;

namespace Orchestrator.Cli.Commands.Stacks;

/// <summary>Finds and reads the files of a stack, and tells everything wrong with them.</summary>
internal static class StackFiles
{
    /// <summary>Looked for, in this order, when no file is named.</summary>
    private static readonly string[] Usual = ["compose.yaml", "compose.yml", "stack.yml", "stack.yaml", "docker-compose.yml", "docker-compose.yaml"];

    /// <exception cref="CommandException">A file cannot be read, or there are problems: all of them are in the message.</exception>
    internal static async Task<ComposeFile> ReadAsync(Shell shell, string[]? given, CancellationToken stop)
    {
        string[] paths = given is { Length: > 0 } ? given
            : Usual.FirstOrDefault(f => File.Exists(Path.Combine(shell.Folder, f))) is { } found ? [found]
            : throw new CommandException($"no stack file: name one with -c, or have one of {string.Join(", ", Usual)} here");
        var texts = new List<ComposeText>();
        foreach (var path in paths)
            texts.Add(new ComposeText(path == "-" ? "stdin" : path, await TextAsync(shell, path, stop)));
        var result = ComposeReader.Read(new ComposeInputs
        {
            Files = texts,
            Folder = paths[0] == "-" ? shell.Folder : Path.GetDirectoryName(Path.GetFullPath(Path.Combine(shell.Folder, paths[0])))!,
            Home = shell.Home,
            Environment = shell.Environment,
            ReadFile = static path => File.Exists(path) ? File.ReadAllText(path) : null,
            ReadBytes = static path => File.Exists(path) ? File.ReadAllBytes(path) : null,
        });
        foreach (var warning in result.Warnings)
            await shell.Error.WriteLineAsync(warning + "\n");
        return result.File ?? throw new CommandException(string.Join('\n', result.Problems.Select(p => p.ToString())));
    }

    private static async Task<string> TextAsync(Shell shell, string path, CancellationToken stop)
    {
        if (path == "-")
        {
            using var input = new StreamReader(shell.OpenInput());
            return await input.ReadToEndAsync(stop);
        }
        var full = Path.Combine(shell.Folder, path);
        if (Directory.Exists(full))
            throw new CommandException($"{path} is a folder, not a stack file");
        return File.Exists(full) ? await File.ReadAllTextAsync(full, stop) : throw new CommandException($"open {path}: no such file or directory");
    }
}
