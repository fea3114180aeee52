namespace Orchestrator.Cli.Commands;

/// <summary>
/// The files of <c>--env-file</c>: lines <c>NAME=VALUE</c>, whose values are taken as they stand, quotes, <c>$</c> and <c>#</c> included, as docker's are. A
/// compose file's <c>env_file</c> has a richer language, read elsewhere.
/// </summary>
internal static class EnvFileFlag
{
    /// <summary>What the files say, as <c>NAME=VALUE</c>; a name alone is that of a variable of the caller's.</summary>
    /// <exception cref="CommandException">A file that is not there, or lines that say nothing; all of them are named.</exception>
    internal static List<string> Read(Invocation call, string[]? paths)
    {
        var (found, wrong) = (new List<string>(), new List<string>());
        foreach (var path in paths ?? [])
        {
            var full = Path.Combine(call.Shell.Folder, path);
            if (!File.Exists(full))
                throw new CommandException($"--env-file: there is no file {path}");
            var number = 0;
            foreach (var line in File.ReadLines(full))
            {
                number++;
                var text = line.TrimStart();
                if (text.Length == 0 || text[0] == '#')
                    continue;
                var equals = text.IndexOf('=');
                var name = equals < 0 ? text : text[..equals];
                if (name.Length == 0)
                    wrong.Add($"{path}:{number}: '{text}' names no variable: write NAME=VALUE");
                else if (name.Any(char.IsWhiteSpace))
                    wrong.Add($"{path}:{number}: variable '{name}' contains whitespace: write NAME=VALUE without blanks around the name");
                else
                    found.Add(text);
            }
        }

        return wrong.Count == 0 ? found : throw new CommandException(string.Join('\n', wrong));
    }
}
