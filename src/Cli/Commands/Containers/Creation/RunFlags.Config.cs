using System.CommandLine;
using Orchestrator.Cli.Commands.Services;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Containers.Creation;

/// <summary>What runs in the container, and who sits at it.</summary>
internal sealed partial class RunFlags
{
    private readonly Option<string[]> _attach = Flags.List("--attach", "Attach to STDIN, STDOUT or STDERR", "list", "-a");
    private readonly Option<bool> _interactive = Flags.Switch("--interactive", "Keep STDIN open even if not attached", "-i");
    private readonly Option<bool> _tty = Flags.Switch("--tty", "Allocate a pseudo-TTY", "-t");
    private readonly Option<string[]> _env = Flags.List("--env", "Set environment variables", "list", "-e");
    private readonly Option<string[]> _envFile = Flags.List("--env-file", "Read in a file of environment variables", "list");
    private readonly Option<string[]> _label = Flags.List("--label", "Set meta data on a container", "list", "-l");
    private readonly Option<string[]> _labelFile = Flags.List("--label-file", "Read in a line delimited file of labels", "list");
    private readonly Option<string?> _user = Flags.Text("--user", "Username or UID (format: <name|uid>[:<group|gid>])", "string", "-u");
    private readonly Option<string?> _workdir = Flags.Text("--workdir", "Working directory inside the container", "string", "-w");
    private readonly Option<string?> _entrypoint = Flags.Text("--entrypoint", "Overwrite the default ENTRYPOINT of the image");
    private readonly Option<string?> _stopSignal = Flags.Text("--stop-signal", "Signal to stop the container");
    private readonly Option<string?> _stopTimeout = Flags.Text("--stop-timeout", "Timeout (in seconds) to stop a container", "int");
    private readonly HealthFlags _health = new();

    private IEnumerable<Option> ConfigOptions =>
    [
        _attach, _interactive, _tty, _env, _envFile, _label, _labelFile, _user, _workdir, _entrypoint, _stopSignal, _stopTimeout, .. _health.All,
    ];

    private AttachedStreams Attached(Invocation call, bool detached)
    {
        var given = Given(call, _attach).Select(a => a.ToLowerInvariant()).ToList();
        foreach (var stream in given.Where(s => s is not ("stdin" or "stdout" or "stderr")))
            throw new CommandException($"invalid argument '{stream}' for --attach: known are STDIN, STDOUT and STDERR");
        // As docker's: -i is at stdin whatever -a names.
        if (given.Count > 0)
            return new AttachedStreams(given.Contains("stdin") || (!detached && call.Get(_interactive)), given.Contains("stdout"), given.Contains("stderr"));
        return new AttachedStreams(!detached && call.Get(_interactive), !detached, !detached);
    }

    private ContainerCreateRequest Config(Invocation call, AttachedStreams attached)
    {
        var open = call.Get(_interactive);
        return new ContainerCreateRequest
        {
            Image = call.Get(_image),
            Cmd = call.Get(_words) is { Length: > 0 } words ? words : null,
            Entrypoint = call.Get(_entrypoint) is { } entrypoint ? [entrypoint] : null, // an empty one takes the image's away
            Hostname = call.Get(_hostname),
            Domainname = call.Get(_domainname),
            User = call.Get(_user),
            WorkingDir = call.Get(_workdir),
            Tty = call.Get(_tty),
            OpenStdin = open,
            StdinOnce = open && attached.Stdin,
            AttachStdin = attached.Stdin,
            AttachStdout = attached.Stdout,
            AttachStderr = attached.Stderr,
            Env = ServiceFlags.Variables([], [.. EnvFileFlag.Read(call, call.Get(_envFile)), .. Given(call, _env)], call.Shell.Environment),
            Labels = ServiceFlags.Pairs(Labels(call), call.Get(_label)),
            StopSignal = call.Get(_stopSignal),
            StopTimeout = (int?)ServiceFlags.Whole(call, _stopTimeout),
            Healthcheck = _health.Apply(call, old: null),
        };
    }

    private IReadOnlyDictionary<string, string> Labels(Invocation call)
    {
        IReadOnlyDictionary<string, string> labels = new Dictionary<string, string>();
        foreach (var path in Given(call, _labelFile))
        {
            var full = Path.Combine(call.Shell.Folder, path);
            if (!File.Exists(full))
                throw new CommandException($"--label-file: there is no file {path}");
            labels = ServiceFlags.Pairs(labels, [.. File.ReadAllLines(full).Select(l => l.Trim()).Where(l => l.Length > 0 && l[0] != '#')]);
        }

        return labels;
    }
}
