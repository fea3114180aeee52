using System.CommandLine;

namespace Orchestrator.Cli.Commands.Completions;

/// <summary>What can stand where the cursor is.</summary>
/// <param name="Words">Commands or flags, each with what it does.</param>
/// <param name="Noun">The kind of object whose names fit (<c>SERVICE</c>, <c>CONTAINER</c>…); null: none.</param>
/// <param name="Files">Paths fit: the shell knows those best.</param>
internal sealed record CompletionPlan(IReadOnlyList<(string Word, string What)> Words, string? Noun, bool Files)
{
    private static readonly string[] FileFlags = ["--compose-file", "--env-file", "--file", "--input", "--output", "--cidfile", "--label-file", "--data-root", "--exec-root", "--tlscacert", "--tlscert", "--tlskey"];

    /// <summary>From the command tree and the words so far; the last one is being written and may be empty.</summary>
    internal static CompletionPlan Of(Command root, IReadOnlyList<string> words)
    {
        var command = root;
        var arguments = 0;
        for (var i = 0; i < words.Count - 1; i++)
        {
            var word = words[i];
            if (word == "--")
                return new CompletionPlan([], Argument(command, arguments + words.Count - 2 - i), Files: true);
            if (word.StartsWith('-') && word.Length > 1)
            {
                if (Find(root, command, word) is not { } flag || !TakesValue(flag) || word.Contains('=') || IsAttached(word))
                    continue;
                if (i == words.Count - 2)
                    return OfValue(flag);
                i++;
            }
            else if (arguments == 0 && Child(command, word) is { } child)
                command = child;
            else
                arguments++;
        }

        var partial = words.Count > 0 ? words[^1] : "";
        if (partial.StartsWith('-'))
            return new CompletionPlan([.. Flags(root, command).Where(f => f.Word.StartsWith(partial, StringComparison.Ordinal))], null, Files: false);
        if (command.Subcommands.Count > 0)
        {
            return new CompletionPlan(
                [.. command.Subcommands.Where(c => !c.Hidden && c.Name.StartsWith(partial, StringComparison.Ordinal)).Select(c => (c.Name, c.Description ?? ""))],
                null, Files: false);
        }
        var noun = Argument(command, arguments);
        return new CompletionPlan([], noun, Files: noun is null && command.Arguments.Count > 0);
    }

    private static CompletionPlan OfValue(Option flag) => flag.Name switch
    {
        "--network" or "--network-add" or "--network-rm" => new CompletionPlan([], "NETWORK", Files: false),
        "--secret" or "--secret-add" or "--secret-rm" => new CompletionPlan([], "SECRET", Files: false),
        "--config" or "--config-add" or "--config-rm" => new CompletionPlan([], "CONFIG", Files: false),
        "--volumes-from" => new CompletionPlan([], "CONTAINER", Files: false),
        var name => new CompletionPlan([], null, Files: FileFlags.Contains(name)),
    };

    private static string? Argument(Command command, int position)
    {
        if (command.Arguments.Count == 0)
            return null;
        var argument = command.Arguments[Math.Min(position, command.Arguments.Count - 1)];
        return position < command.Arguments.Count || argument.Arity.MaximumNumberOfValues > 1 ? argument.Name : null;
    }

    private static IEnumerable<(string Word, string What)> Flags(Command root, Command command) => root.Options.Concat(command.Options).Distinct()
        .Where(o => !o.Hidden)
        .SelectMany(o => o.Aliases.Prepend(o.Name).Where(n => n.StartsWith('-')).Select(n => (n, o.Description ?? "")))
        .DistinctBy(f => f.n)
        .OrderBy(f => f.n, StringComparer.Ordinal);

    private static Command? Child(Command command, string word) => command.Subcommands.FirstOrDefault(c => c.Name == word || c.Aliases.Contains(word));

    private static Option? Find(Command root, Command command, string word)
    {
        var name = word.Split('=')[0];
        var short_ = word.Length > 2 && word[1] != '-' ? word[..2] : null;
        return command.Options.Concat(root.Options).FirstOrDefault(o => o.Name == name || o.Aliases.Contains(name) || (short_ is not null && o.Aliases.Contains(short_)));
    }

    private static bool TakesValue(Option option) => option.ValueType != typeof(bool) && option.Arity.MaximumNumberOfValues > 0;

    /// <summary><c>-p80:80</c></summary>
    private static bool IsAttached(string word) => word.Length > 2 && word[1] != '-';
}
