using System.CommandLine;
using System.Globalization;

namespace Orchestrator.Cli.Commands;

/// <summary>Options that many commands share, and the ways of writing commands down.</summary>
internal static class Flags
{
    internal const string FormatWords =
        "'table', 'table TEMPLATE', 'json', or a Go template over the fields that {{json .}} shows";

    internal static Option<bool> Quiet(string what) => new("--quiet", "-q") { Description = what };

    internal static Option<string?> Format() => new("--format") { Description = FormatWords, HelpName = "string" };

    internal static Option<bool> NoTrunc() => new("--no-trunc") { Description = "Don't truncate output" };

    internal static Option<string[]> Filter() => List("--filter", "Filter output based on conditions provided", "filter", "-f");

    /// <summary>An option that may be given again and again.</summary>
    internal static Option<string[]> List(string name, string what, string helpName, params string[] aliases) =>
        new(name, aliases) { Description = what, HelpName = helpName, Arity = ArgumentArity.OneOrMore, AllowMultipleArgumentsPerToken = false };

    internal static Option<string?> Text(string name, string what, string helpName = "string", params string[] aliases) =>
        new(name, aliases) { Description = what, HelpName = helpName };

    internal static Option<bool> Switch(string name, string what, params string[] aliases) => new(name, aliases) { Description = what };

    /// <summary>A whole number; what is none is refused with the flag's name.</summary>
    internal static Option<int?> Whole(string name, string what, string helpName = "int", params string[] aliases) => new(name, aliases)
    {
        Description = what,
        HelpName = helpName,
        CustomParser = result =>
        {
            if (int.TryParse(result.Tokens[0].Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
                return number;
            result.AddError($"invalid value '{result.Tokens[0].Value}' for {name}: it must be a whole number");
            return null;
        },
    };

    internal static Argument<string> One(string name) => new(name) { Arity = ArgumentArity.ExactlyOne };

    internal static Argument<string[]> Several(string name) => new(name) { Arity = ArgumentArity.OneOrMore };

    /// <summary>Repeated <c>KEY=VALUE</c> filters as the API takes them.</summary>
    internal static Dictionary<string, IReadOnlyList<string>> Filters(string[]? given, params ReadOnlySpan<(string Key, string Value)> always)
    {
        var filters = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach (var filter in given ?? [])
        {
            var equals = filter.IndexOf('=');
            if (equals <= 0)
                throw new CommandException($"invalid filter '{filter}': write KEY=VALUE");
            Add(filter[..equals].Trim().ToLowerInvariant(), filter[(equals + 1)..].Trim());
        }
        foreach (var (key, value) in always)
            Add(key, value);
        return filters;

        void Add(string key, string value) => filters[key] = [.. filters.GetValueOrDefault(key) ?? [], value];
    }

    /// <summary>Puts the parts of a command together and gives it what it does.</summary>
    internal static Command Does(this Command command, Shell shell, IEnumerable<Symbol> parts, CommandAction act)
    {
        foreach (var part in parts)
        {
            if (part is Option option)
                command.Options.Add(option);
            else
                command.Arguments.Add((Argument)part);
        }
        command.SetAction(async (parsed, stop) =>
        {
            using var call = new Invocation(parsed, shell);
            return await act(call, stop);
        });
        return command;
    }

    internal static Command Also(this Command command, params ReadOnlySpan<string> aliases)
    {
        foreach (var alias in aliases)
            command.Aliases.Add(alias);
        return command;
    }

    internal static Command Group(string name, string what, params ReadOnlySpan<Command> commands)
    {
        var group = new Command(name, what);
        foreach (var command in commands)
            group.Subcommands.Add(command);
        return group;
    }

    /// <summary>Does the same for each name, telling every failure; the exit code is 1 when there was one.</summary>
    internal static async Task<int> EachAsync(this Invocation call, IEnumerable<string> names, Func<string, Task> act)
    {
        var failed = false;
        foreach (var name in names)
        {
            try
            {
                await act(name);
            }
            catch (Client.EngineException e)
            {
                await call.Shell.Out.FlushAsync();
                await call.Shell.Error.WriteLineAsync($"Error response from daemon: {e.Message}");
                failed = true;
            }
        }
        return failed ? 1 : 0;
    }
}
