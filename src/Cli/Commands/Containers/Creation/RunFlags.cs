using System.CommandLine;
using Orchestrator.Cli.Commands.Services;
using Orchestrator.Cli.Compose.Values;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Containers.Creation;

/// <summary>The flags that <c>run</c> and <c>create</c> share, and the container that they ask for.</summary>
internal sealed partial class RunFlags
{
    private readonly Option<string?> _name = Flags.Text("--name", "Assign a name to the container");
    private readonly Option<string?> _platform = Flags.Text("--platform", "Set platform if server is multi-platform capable");
    private readonly Option<string?> _pull = Flags.Text("--pull", "Pull image before running (always, missing, never)");
    private readonly Option<bool> _quiet = Flags.Switch("--quiet", "Suppress the pull output", "-q");
    private readonly Option<string?> _cidFile = Flags.Text("--cidfile", "Write the container ID to the file");
    private readonly Argument<string> _image = Flags.One("IMAGE");
    private readonly Argument<string[]> _words = new("COMMAND") { Arity = ArgumentArity.ZeroOrMore };
    private readonly RefusedFlags _refused = new();

    internal IEnumerable<Symbol> All =>
        [_name, _platform, _pull, _quiet, _cidFile, .. ConfigOptions, .. HostOptions, .. LimitOptions, .. NetworkOptions, .. _refused.All, _image, _words];

    internal bool Tty(Invocation call) => call.Get(_tty);

    /// <summary>The request; <paramref name="detached"/> is <c>create</c>'s and <c>-d</c>'s.</summary>
    /// <exception cref="CommandException">Flags that cannot be read or cannot be honoured.</exception>
    internal ContainerRequest Read(Invocation call, bool detached)
    {
        _refused.Refuse(call);
        if (ServiceFlags.OneOf(call, _pull, "always", "missing", "never") is var pull && call.Get(_cidFile) is { } file && File.Exists(Path.Combine(call.Shell.Folder, file)))
            throw new CommandException($"container ID file found, make sure the other container isn't running or delete {file}");
        if (call.Get(_cidFile) is { } idFile && !Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(idFile, call.Shell.Folder))))
            throw new CommandException($"failed to create the container ID file {idFile}: its directory does not exist");
        var attached = Attached(call, detached);
        var (volumes, binds) = Volumes(call);
        var network = Network(call);
        var ports = new PublishedPorts(call.Get(_publish), call.Get(_expose));
        var config = Config(call, attached);
        return new ContainerRequest
        {
            Name = call.Get(_name),
            Platform = call.Get(_platform),
            Pull = pull ?? "missing",
            Quiet = call.Get(_quiet),
            CidFile = call.Get(_cidFile) is { } path ? Path.Combine(call.Shell.Folder, path) : null,
            Attached = attached,
            Body = config with
            {
                Volumes = volumes,
                ExposedPorts = ports.Exposed,
                HostConfig = Limits(call, Host(call)) with { Binds = binds, PortBindings = ports.Bindings, NetworkMode = network.Mode },
                NetworkingConfig = network.Config,
            },
        };
    }

    private static T? Number<T>(Invocation call, Option<string?> option, Func<string, Parsed<T>> parse) where T : struct => ServiceFlags.Parse(call, option, parse);

    private static IReadOnlyList<string> Given(Invocation call, Option<string[]> option) => call.Get(option) ?? [];
}

/// <summary>A container as the command line asks for it.</summary>
internal sealed record ContainerRequest
{
    public string? Name { get; init; }
    public string? Platform { get; init; }

    /// <summary><c>always</c>, <c>missing</c> or <c>never</c>.</summary>
    public required string Pull { get; init; }

    public bool Quiet { get; init; }

    /// <summary>Where the identifier is written; must not be there before.</summary>
    public string? CidFile { get; init; }

    public required AttachedStreams Attached { get; init; }
    public required ContainerCreateRequest Body { get; init; }
}

/// <summary>What of a container's stdio the caller sits at.</summary>
internal sealed record AttachedStreams(bool Stdin, bool Stdout, bool Stderr)
{
    internal bool Any => Stdin || Stdout || Stderr;
}
