using System.CommandLine;

namespace Orchestrator.Cli.Commands.Services;

/// <summary>Docker's flags for services that do not work here yet: known, so that the refusal can say why, and left out of the help.</summary>
internal sealed class LaterFlags
{

    private static readonly (string Name, string Why)[] Both =
    [
        ("--isolation", "it is for Windows"),
    ];

    private static readonly (string Name, string Why)[] OfCreate =
    [
        ("--credential-spec", "it is for Windows"),
        ("--generic-resource", "generic resources come with a later version"),
    ];

    private static readonly (string Name, string Why)[] OfUpdate =
    [
        ("--generic-resource-add", "generic resources come with a later version"), ("--generic-resource-rm", "generic resources come with a later version"),
        ("--credential-spec", "it is for Windows"),
    ];

    private readonly List<(Option Option, string Why)> _flags;

    private LaterFlags(IEnumerable<(string Name, string Why)> valued, params ReadOnlySpan<(string Name, string Why)> switches)
    {
        _flags = [.. valued.Select(f => ((Option)Flags.List(f.Name, f.Why, "string"), f.Why))];
        foreach (var (name, why) in switches)
            _flags.Add((Flags.Switch(name, why), why));
        foreach (var (option, _) in _flags)
            option.Hidden = true;
    }

    internal static LaterFlags ForCreate() =>
        new([.. Both, .. OfCreate], ("--with-registry-auth", "registries come with a later version"));

    internal static LaterFlags ForUpdate() =>
        new([.. Both, .. OfUpdate], ("--with-registry-auth", "registries come with a later version"));

    internal IEnumerable<Option> All => _flags.Select(f => f.Option);

    /// <summary>Refuses all that were given at once.</summary>
    internal void Refuse(Invocation call)
    {
        var given = _flags.Where(f => call.Has(f.Option)).Select(f => $"{f.Option.Name} does not work yet: {f.Why}").ToList();
        if (given.Count > 0)
            throw new CommandException(string.Join('\n', given));
    }
}
