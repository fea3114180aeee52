using System.CommandLine;

namespace Orchestrator.Cli.Commands.Services;

/// <summary>Docker's flags for services that do not work here yet: known, so that the refusal can say why, and left out of the help.</summary>
internal sealed class LaterFlags
{
    private const string Health = "health checks come with a later version";
    private const string Rollback = "roll-back comes with a later version";
    private const string Watch = "watching over updates comes with a later version";
    private const string StackFile = "change the stack file and deploy it again, or make the service anew";

    private static readonly (string Name, string Why)[] Both =
    [
        ("--health-cmd", Health), ("--health-interval", Health), ("--health-retries", Health), ("--health-start-interval", Health),
        ("--health-start-period", Health), ("--health-timeout", Health),
        ("--rollback-delay", Rollback), ("--rollback-failure-action", Rollback), ("--rollback-max-failure-ratio", Rollback),
        ("--rollback-monitor", Rollback), ("--rollback-order", Rollback), ("--rollback-parallelism", Rollback),
        ("--update-failure-action", Watch), ("--update-max-failure-ratio", Watch), ("--update-monitor", Watch),
        ("--max-concurrent", "jobs come with a later version"),
        ("--isolation", "it is for Windows"),
    ];

    private static readonly (string Name, string Why)[] OfCreate =
    [
        ("--credential-spec", "it is for Windows"),
        ("--generic-resource", "generic resources come with a later version"), ("--dns-option", "DNS options come with a later version"),
    ];

    private static readonly (string Name, string Why)[] OfUpdate =
    [
        ("--generic-resource-add", "generic resources come with a later version"), ("--generic-resource-rm", "generic resources come with a later version"),
        ("--credential-spec", "it is for Windows"),
        ("--dns-option-add", "DNS options come with a later version"), ("--dns-option-rm", "DNS options come with a later version"),
        ("--dns-rm", StackFile), ("--dns-search-rm", StackFile), ("--group-rm", StackFile), ("--host-rm", StackFile), ("--network-rm", StackFile),
        ("--placement-pref-rm", StackFile), ("--sysctl-rm", StackFile), ("--ulimit-rm", StackFile),
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
        new([.. Both, .. OfCreate], ("--no-healthcheck", Health), ("--with-registry-auth", "registries come with a later version"));

    internal static LaterFlags ForUpdate() =>
        new([.. Both, .. OfUpdate], ("--no-healthcheck", Health), ("--rollback", Rollback), ("--with-registry-auth", "registries come with a later version"));

    internal IEnumerable<Option> All => _flags.Select(f => f.Option);

    /// <summary>Refuses all that were given at once.</summary>
    internal void Refuse(Invocation call)
    {
        var given = _flags.Where(f => call.Has(f.Option)).Select(f => $"{f.Option.Name} does not work yet: {f.Why}").ToList();
        if (given.Count > 0)
            throw new CommandException(string.Join('\n', given));
    }
}
