using System.CommandLine;

namespace Orchestrator.Cli.Commands;

/// <summary>
/// Some commands take another command's words (<c>service create IMAGE sh -c …</c>): from the first argument on, nothing is an option
/// of ours, as in docker. The parser has no such rule, so a <c>--</c> is put before that argument.
/// </summary>
internal static class CommandWords
{
    private static readonly string[][] Takers =
    [
        ["service", "create"], ["run"], ["create"], ["exec"], ["container", "run"], ["container", "create"], ["container", "exec"],
        ["top"], ["container", "top"], ["lab", "exec"],
    ];

    /// <summary>Where the root's own options end and the command's name stands; the count when there is none.</summary>
    internal static int First(Command root, IReadOnlyList<string> args)
    {
        var at = 0;
        while (at < args.Count && args[at].StartsWith('-'))
            at += TakesNext(args[at], root.Options) ? 2 : 1;
        return Math.Min(at, args.Count);
    }

    internal static IReadOnlyList<string> Guard(Command root, string[] args)
    {
        var at = 0;
        Command command = root;
        var path = new List<string>();
        while (at < args.Length)
        {
            if (args[at].StartsWith('-'))
            {
                at += TakesNext(args[at], command.Options.Concat(root.Options)) ? 2 : 1;
                continue;
            }
            if (command.Subcommands.FirstOrDefault(c => c.Name == args[at] || c.Aliases.Contains(args[at])) is not { } next)
                break;
            command = next;
            path.Add(next.Name);
            at++;
        }
        if (at >= args.Length || !Takers.Any(t => t.SequenceEqual(path)) || args.AsSpan(0, at).Contains("--"))
            return args;
        return [.. args[..at], "--", .. args[at..]];
    }

    private static bool TakesNext(string token, IEnumerable<Option> options)
    {
        if (token is "--" or "-" || token.Contains('='))
            return false;
        var name = token.StartsWith("--", StringComparison.Ordinal) ? token : "-" + token[^1];
        var option = options.FirstOrDefault(o => o.Name == token || o.Aliases.Contains(token))
            ?? options.FirstOrDefault(o => o.Name == name || o.Aliases.Contains(name));
        return option is not null && option.ValueType != typeof(bool) && option.Arity.MaximumNumberOfValues > 0
            && !AttachedValue(token, options);
    }

    /// <summary><c>-p80:80</c>: the first letter's option takes the rest as its value.</summary>
    private static bool AttachedValue(string token, IEnumerable<Option> options) =>
        token.Length > 2 && token[1] != '-'
        && options.FirstOrDefault(o => o.Aliases.Contains(token[..2])) is { } first && first.ValueType != typeof(bool);
}
