using System.CommandLine;

namespace Orchestrator.Cli.Commands.Containers.Creation;

/// <summary>Docker's flags that orch cannot honour: known, so that the refusal can say why, and left out of the help.</summary>
internal sealed class RefusedFlags
{
    private static readonly (string Name, string Why)[] Valued =
    [
        ("--link", "orch has no container links: put both containers on a network and use their names"),
        ("--link-local-ip", "orch gives no link-local addresses"),
        ("--ip6", "containers have no IPv6 addresses yet"),
        ("--gpus", "orch knows no GPUs; give the device files with --device"),
        ("--runtime", "orch runs containers itself and has no other runtimes"),
        ("--isolation", "it is for Windows"),
        ("--kernel-memory", "the kernel has no such limit any more; use --memory"),
    ];

    private readonly List<(Option Option, string Why)> _flags =
    [
        .. Valued.Select(f => ((Option)Flags.List(f.Name, f.Why, "string"), f.Why)),
        (Flags.Switch("--disable-content-trust", ""), "orch has no content trust: images are known by their digests; leave it out"),
        (Flags.Switch("--use-api-socket", ""), "the daemon's socket is not handed into containers; bind-mount it if you trust the container with the host"),
    ];

    internal IEnumerable<Option> All => _flags.Select(f =>
    {
        f.Option.Hidden = true;
        return f.Option;
    });

    /// <summary>Refuses all that were given at once.</summary>
    internal void Refuse(Invocation call)
    {
        var given = _flags.Where(f => call.Has(f.Option)).Select(f => $"{f.Option.Name} cannot be used: {f.Why}").ToList();
        if (given.Count > 0)
            throw new CommandException(string.Join('\n', given));
    }
}
