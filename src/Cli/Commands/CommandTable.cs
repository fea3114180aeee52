using System.CommandLine;
using Orchestrator.Cli.Commands.Completions;
using Orchestrator.Cli.Commands.Containers;
using Orchestrator.Cli.Commands.Daemons;
using Orchestrator.Cli.Commands.Demo;
using Orchestrator.Cli.Commands.Files;
using Orchestrator.Cli.Commands.Images;
using Orchestrator.Cli.Commands.Inspection;
using Orchestrator.Cli.Commands.Lab;
using Orchestrator.Cli.Commands.Logs;
using Orchestrator.Cli.Commands.Networks;
using Orchestrator.Cli.Commands.Nodes;
using Orchestrator.Cli.Commands.Payloads;
using Orchestrator.Cli.Commands.Services;
using Orchestrator.Cli.Commands.Stacks;
using Orchestrator.Cli.Commands.Swarms;
using Orchestrator.Cli.Commands.Systems;
using Orchestrator.Cli.Commands.Volumes;

namespace Orchestrator.Cli.Commands;

/// <summary>Every command of the first level. Only the one that is called is built: making all of them costs start-up time.</summary>
internal static class CommandTable
{
    private static readonly (string Name, Func<Shell, Command> Make)[] Entries =
    [
        ("stack", StackCommands.Create),
        ("service", ServiceCommands.Create),
        ("node", NodeCommands.Create),
        ("swarm", SwarmCommands.Create),
        ("container", ContainerCommands.Create),
        ("image", ImageCommands.Create),
        ("network", NetworkCommands.Create),
        ("secret", PayloadCommands.Secrets),
        ("config", PayloadCommands.Configs),
        ("volume", VolumeCommands.Create),
        ("cp", CopyCommand.Create),
        ("diff", FileCommands.Diff),
        ("export", FileCommands.Export),
        ("commit", FileCommands.Commit),
        ("ps", shell => ContainerCommands.List(shell, "ps")),
        ("logs", ContainerLogs.Create),
        ("inspect", InspectCommand.Any),
        ("run", RunCommand.Run),
        ("create", RunCommand.Create),
        ("exec", ExecCommand.Create),
        ("attach", AttachCommand.Create),
        ("start", AttachCommand.Start),
        ("restart", UpkeepCommands.Restart),
        ("rename", UpkeepCommands.Rename),
        ("port", UpkeepCommands.Port),
        ("stop", ContainerCommands.Stop),
        ("kill", ContainerCommands.Kill),
        ("wait", ContainerCommands.Wait),
        ("rm", ContainerCommands.Remove),
        ("pause", LimitCommands.Pause),
        ("unpause", LimitCommands.Unpause),
        ("update", LimitCommands.Update),
        ("top", LimitCommands.Top),
        ("stats", StatsCommand.Create),
        ("images", shell => ImageCommands.List(shell, "images")),
        ("build", BuildCommand.Create),
        ("load", ImageCommands.Load),
        ("import", ImageCommands.Import),
        ("tag", ImageCommands.Tag),
        ("rmi", shell => ImageCommands.Remove(shell, "rmi")),
        ("history", ImageCommands.History),
        ("version", SystemCommands.Version),
        ("info", SystemCommands.Info),
        ("events", SystemCommands.Events),
        ("system", TeardownCommand.Group),
        ("daemon", DaemonCommand.Create),
        ("demo", DemoCommand.Create),
        ("lab", LabCommands.Create),
        ("completion", CompletionCommand.Create),
        (CompletionCommand.Hidden, CompletionCommand.Words),
    ];

    internal static IEnumerable<string> Names => Entries.Select(e => e.Name).Where(n => n != CompletionCommand.Hidden);

    /// <summary>The root with the command that the arguments name, or with all of them when they name none.</summary>
    internal static RootCommand Root(IReadOnlyList<string> args, Shell shell)
    {
        var root = new RootCommand("Runs stacks of containers on one host or many.");
        foreach (var option in root.Options.Where(o => o is VersionOption).ToList())
            root.Options.Remove(option);
        root.Options.Add(new Option<string?>("--host", "-H") { Description = "Daemon socket to connect to (ORCH_HOST, DOCKER_HOST)", HelpName = "unix://PATH" });
        root.Options.Add(new Option<bool>("--version", "-v") { Description = "Print version information and quit" });
        // The words of the line that is being completed name commands too.
        var hidden = args.TakeWhile(a => a != "--").Contains(CompletionCommand.Hidden);
        var named = Entries.Where(e => hidden ? e.Name == CompletionCommand.Hidden : args.Contains(e.Name)).Take(1).ToList();
        var first = args.FirstOrDefault(a => !a.StartsWith('-'));
        foreach (var (_, make) in named.Count > 0 && (first == named[0].Name || args[0].StartsWith('-')) ? named : Entries.ToList())
            root.Subcommands.Add(make(shell));
        return root;
    }
}
