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
    internal static IReadOnlyList<string> Names { get; } =
    [
        "stack", "service", "node", "swarm", "container", "image", "network", "secret", "config", "volume", "cp", "diff", "export",
        "commit", "ps", "logs", "inspect", "run", "create", "exec", "attach", "start", "restart", "rename", "port", "stop", "kill", "wait",
        "rm", "pause", "unpause", "update", "top", "stats", "images", "build", "load", "import", "save", "tag", "rmi", "history", "version",
        "info", "events", "system", "daemon", "demo", "lab", "completion",
    ];

    /// <summary>The root with the command that the arguments name, or with all of them when they name none.</summary>
    internal static RootCommand Root(IReadOnlyList<string> args, Shell shell)
    {
        var root = new RootCommand("Runs stacks of containers on one host or many.");
        if (root.Options.FirstOrDefault(o => o is VersionOption) is { } version)
            root.Options.Remove(version);
        RootFlags.AddTo(root);
        root.Options.Add(new Option<bool>("--version", "-v") { Description = "Print version information and quit" });
        var first = CommandWords.First(root, args);
        if (first < args.Count && Make(args[first], shell) is { } named)
        {
            root.Subcommands.Add(named);
            return root;
        }
        foreach (var name in Names)
            root.Subcommands.Add(Make(name, shell)!);
        root.Subcommands.Add(CompletionCommand.Words(shell));
        return root;
    }

    /// <summary>Null: there is no such command. Not a table of functions: the types behind every one of them would be loaded.</summary>
    private static Command? Make(string name, Shell shell) => name switch
    {
        "stack" => StackCommands.Create(shell),
        "service" => ServiceCommands.Create(shell),
        "node" => NodeCommands.Create(shell),
        "swarm" => SwarmCommands.Create(shell),
        "container" => ContainerCommands.Create(shell),
        "image" => ImageCommands.Create(shell),
        "network" => NetworkCommands.Create(shell),
        "secret" => PayloadCommands.Secrets(shell),
        "config" => PayloadCommands.Configs(shell),
        "volume" => VolumeCommands.Create(shell),
        "cp" => CopyCommand.Create(shell),
        "diff" => FileCommands.Diff(shell),
        "export" => FileCommands.Export(shell),
        "commit" => FileCommands.Commit(shell),
        "ps" => ContainerCommands.List(shell, "ps"),
        "logs" => ContainerLogs.Create(shell),
        "inspect" => InspectCommand.Any(shell),
        "run" => RunCommand.Run(shell),
        "create" => RunCommand.Create(shell),
        "exec" => ExecCommand.Create(shell),
        "attach" => AttachCommand.Create(shell),
        "start" => AttachCommand.Start(shell),
        "restart" => UpkeepCommands.Restart(shell),
        "rename" => UpkeepCommands.Rename(shell),
        "port" => UpkeepCommands.Port(shell),
        "stop" => ContainerCommands.Stop(shell),
        "kill" => ContainerCommands.Kill(shell),
        "wait" => ContainerCommands.Wait(shell),
        "rm" => ContainerCommands.Remove(shell),
        "pause" => LimitCommands.Pause(shell),
        "unpause" => LimitCommands.Unpause(shell),
        "update" => LimitCommands.Update(shell),
        "top" => LimitCommands.Top(shell),
        "stats" => StatsCommand.Create(shell),
        "images" => ImageCommands.List(shell, "images"),
        "build" => BuildCommand.Create(shell),
        "load" => ImageCommands.Load(shell),
        "import" => ImageCommands.Import(shell),
        "save" => ImageCommands.Save(shell),
        "tag" => ImageCommands.Tag(shell),
        "rmi" => ImageCommands.Remove(shell, "rmi"),
        "history" => ImageCommands.History(shell),
        "version" => SystemCommands.Version(shell),
        "info" => SystemCommands.Info(shell),
        "events" => SystemCommands.Events(shell),
        "system" => TeardownCommand.Group(shell),
        "daemon" => DaemonCommand.Create(shell),
        "demo" => DemoCommand.Create(shell),
        "lab" => LabCommands.Create(shell),
        "completion" => CompletionCommand.Create(shell),
        CompletionCommand.Hidden => CompletionCommand.Words(shell),
        _ => null,
    };
}
