using System.CommandLine;

namespace Orchestrator.Cli.Commands;

/// <summary>A command line that was looked through: what the parser gets, and the command that it names.</summary>
/// <param name="Tokens">What the parser gets.</param>
/// <param name="Path">The named command's words, <c>orch</c> first.</param>
/// <param name="Command">The named command.</param>
/// <param name="Unknown">A word where a command's name had to stand, and that is none.</param>
internal sealed record GuardedWords(IReadOnlyList<string> Tokens, string Path, Command Command, string? Unknown);

/// <summary>
/// What the parser's rules for words lack of docker's. Some commands take another command's words (<c>service create IMAGE sh -c …</c>): from the
/// first argument on, nothing is an option of ours, so a <c>--</c> is put before it. A switch takes a value after <c>=</c> alone, which must be a
/// boolean; <c>--flag=</c> is an empty value; a flag that ends the line lacks its value.
/// </summary>
internal static class CommandWords
{
    private static readonly string[] Takers =
    [
        "orch service create", "orch run", "orch create", "orch exec", "orch container run", "orch container create", "orch container exec",
        "orch top", "orch container top", "orch lab exec",
    ];

    /// <summary>Where the root's own options end and the command's name stands; the count when there is none.</summary>
    internal static int First(Command root, IReadOnlyList<string> args)
    {
        var at = 0;
        while (at < args.Count && args[at].StartsWith('-'))
            at += TakesNext(args[at], root.Options) ? 2 : 1;
        return Math.Min(at, args.Count);
    }

    /// <exception cref="CommandException">A flag without its value, or a switch with a value that is no boolean.</exception>
    internal static GuardedWords Guard(Command root, IReadOnlyList<string> args)
    {
        var (command, path, tokens) = (root, "orch", new List<string>());
        var inArguments = false;
        for (var at = 0; at < args.Count; at++)
        {
            var word = args[at];
            if (word == "--")
                return Rest(at);
            if (word.Length > 1 && word[0] == '-')
            {
                var options = command.Options.Concat(root.Options).ToList();
                tokens.AddRange(Flag(word, options, path));
                if (!TakesNext(word, options))
                    continue;
                if (++at == args.Count)
                    throw new CommandException($"flag needs an argument: {word}\n\nRun '{path} --help' for more information", CommandLine.BadFlag);
                tokens.Add(args[at]);
            }
            else if (!inArguments && command.Subcommands.FirstOrDefault(c => c.Name == word || c.Aliases.Contains(word)) is { } next)
            {
                (command, path) = (next, $"{path} {next.Name}");
                tokens.Add(word);
            }
            else if (command.Subcommands.Count > 0)
            {
                return new GuardedWords(tokens, path, command, word);
            }
            else if (Takers.Contains(path))
            {
                tokens.Add("--");
                return Rest(at);
            }
            else
            {
                inArguments = true;
                tokens.Add(word);
            }
        }
        return new GuardedWords(tokens, path, command, null);

        GuardedWords Rest(int at) => new([.. tokens, .. args.Skip(at)], path, command, null);
    }

    private static IEnumerable<string> Flag(string word, IReadOnlyList<Option> options, string path)
    {
        var equals = word.IndexOf('=');
        if (equals < 0 || options.FirstOrDefault(o => o.Name == word[..equals] || o.Aliases.Contains(word[..equals])) is not { } option)
            return [word];
        var (name, value) = (word[..equals], word[(equals + 1)..]);
        if (!IsSwitch(option))
            return value.Length == 0 ? [name, ""] : [word];
        // strconv.ParseBool's words.
        return value switch
        {
            "1" or "t" or "T" or "TRUE" or "true" or "True" => [$"{name}=true"],
            "0" or "f" or "F" or "FALSE" or "false" or "False" => [$"{name}=false"],
            _ => throw new CommandException($"invalid argument '{value}' for {name}: it is a switch, so write true or false\n\nRun '{path} --help' for more information", CommandLine.BadFlag),
        };
    }

    private static bool TakesNext(string token, IEnumerable<Option> options)
    {
        if (token is "--" or "-" || token.Contains('='))
            return false;
        var name = token.StartsWith("--", StringComparison.Ordinal) ? token : "-" + token[^1];
        var option = options.FirstOrDefault(o => o.Name == token || o.Aliases.Contains(token))
            ?? options.FirstOrDefault(o => o.Name == name || o.Aliases.Contains(name));
        return option is not null && !IsSwitch(option) && option.Arity.MaximumNumberOfValues > 0
            && !AttachedValue(token, options);
    }

    private static bool IsSwitch(Option option) => option.ValueType == typeof(bool) || option.ValueType == typeof(bool?);

    /// <summary><c>-p80:80</c>: the first letter's option takes the rest as its value.</summary>
    private static bool AttachedValue(string token, IEnumerable<Option> options) =>
        token.Length > 2 && token[1] != '-'
        && options.FirstOrDefault(o => o.Aliases.Contains(token[..2])) is { } first && !IsSwitch(first);
}
