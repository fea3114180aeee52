using System.CommandLine;
using System.Globalization;
using Orchestrator.Cli.Client;
using Orchestrator.Cli.Commands.Inspection;
using Orchestrator.Cli.Commands.Logs;
using Orchestrator.Cli.Commands.Services;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Containers;

/// <summary>The containers of this host: <c>orch ps</c> and its neighbours, and <c>orch container …</c>.</summary>
internal static class ContainerCommands
{
    internal static Command Create(Shell shell) => Flags.Group(
        "container", "Manage the containers of this host",
        AttachCommand.Create(shell), RunCommand.Create(shell), ExecCommand.Create(shell), InspectCommand.Of(shell, "container", "containers"), Kill(shell),
        ContainerLogs.Create(shell), List(shell, "ls").Also("list", "ps"), UpkeepCommands.Port(shell), UpkeepCommands.Prune(shell),
        UpkeepCommands.Rename(shell), UpkeepCommands.Restart(shell), Remove(shell), RunCommand.Run(shell), AttachCommand.Start(shell), Stop(shell), Wait(shell),
        LimitCommands.Pause(shell), LimitCommands.Unpause(shell), LimitCommands.Update(shell), LimitCommands.Top(shell), StatsCommand.Create(shell),
        Files.CopyCommand.Create(shell), Files.FileCommands.Diff(shell), Files.FileCommands.Export(shell), Files.FileCommands.Commit(shell));

    internal static Command List(Shell shell, string name)
    {
        var all = Flags.Switch("--all", "Show all containers (default shows just running)", "-a");
        var (filter, format, noTrunc, quiet) = (Flags.Filter(), Flags.Format(), Flags.NoTrunc(), Flags.Quiet("Only display container IDs"));
        var last = Flags.Text("--last", "Show n last created containers (includes all states)", "int", "-n");
        var latest = Flags.Switch("--latest", "Show the latest created container (includes all states)", "-l");
        var size = Flags.Switch("--size", "Display total file sizes", "-s");
        return new Command(name, "List containers").Does(shell, [all, filter, format, last, latest, noTrunc, quiet, size], async (call, stop) =>
        {
            var limit = call.Get(latest) ? "1" : Services.ServiceFlags.Count(call, last)?.ToString(CultureInfo.InvariantCulture);
            var containers = await call.Client.GetAsync<IReadOnlyList<ContainerSummary>>(
                EngineClient.Query(
                    "/containers/json",
                    ("all", call.Get(all) ? "1" : null),
                    ("limit", limit),
                    ("size", call.Get(size) ? "1" : null),
                    ("filters", EngineClient.Filters(Flags.Filters(call.Get(filter))))),
                stop);
            await call.WriteAsync(ContainerRow.Listing(call.Get(noTrunc), call.Get(size), call.Now), containers, call.Get(format), call.Get(quiet));
            return 0;
        });
    }

    internal static Command Stop(Shell shell)
    {
        var signal = Flags.Text("--signal", "Signal to send to the container", "string", "-s");
        var timeout = Flags.Whole("--timeout", "Seconds to wait before killing the container", "int", "-t", "--time");
        var names = Flags.Several("CONTAINER");
        return new Command("stop", "Stop one or more running containers").Does(shell, [signal, timeout, names], (call, stop) =>
            PostEachAsync(call, call.Get(names), "stop", [("signal", call.Get(signal)), ("t", call.Get(timeout)?.ToString(CultureInfo.InvariantCulture))], stop));
    }

    internal static Command Kill(Shell shell)
    {
        var signal = Flags.Text("--signal", "Signal to send to the container", "string", "-s");
        var names = Flags.Several("CONTAINER");
        return new Command("kill", "Kill one or more running containers").Does(shell, [signal, names], (call, stop) =>
            PostEachAsync(call, call.Get(names), "kill", [("signal", call.Get(signal))], stop));
    }

    internal static Command Wait(Shell shell)
    {
        var names = Flags.Several("CONTAINER");
        return new Command("wait", "Block until one or more containers stop, then print their exit codes").Does(shell, [names], (call, stop) =>
            call.EachAsync(call.Get(names), async name =>
            {
                using var response = await call.Client.OpenAsync(HttpMethod.Post, $"/containers/{EngineClient.Name(name)}/wait", null, stop);
                var reply = ModelJson.Read<ContainerWaitReply>(await response.Content.ReadAsByteArrayAsync(stop));
                if (reply.Error is { Message.Length: > 0 } error)
                    throw new EngineException(500, error.Message, []);
                await call.Shell.Out.WriteLineAsync(reply.StatusCode.ToString(CultureInfo.InvariantCulture));
                await call.Shell.Out.FlushAsync(stop);
            }));
    }

    internal static Command Remove(Shell shell)
    {
        var force = Flags.Switch("--force", "Force the removal of a running container (uses SIGKILL)", "-f");
        var volumes = Flags.Switch("--volumes", "Remove anonymous volumes associated with the container", "-v");
        var names = Flags.Several("CONTAINER");
        return new Command("rm", "Remove one or more containers").Also("remove").Does(shell, [force, volumes, names], (call, stop) =>
            call.EachAsync(call.Get(names), async name =>
            {
                try
                {
                    await call.Client.SendAsync(
                        HttpMethod.Delete,
                        EngineClient.Query($"/containers/{EngineClient.Name(name)}", ("force", call.Get(force) ? "1" : null), ("v", call.Get(volumes) ? "1" : null)),
                        stop);
                    await call.Shell.Out.WriteLineAsync(name);
                }
                catch (EngineException e) when (e.Status == 404 && call.Get(force))
                {
                    // Absent is what --force asks for; it is said, and no failure, as in docker.
                    await call.Shell.Error.WriteLineAsync($"Error response from daemon: {e.Message}");
                }
            }));
    }

    internal static Task<int> PostEachAsync(
        Invocation call, IEnumerable<string> names, string verb, (string, string?)[] query, CancellationToken stop) =>
        call.EachAsync(names, async name =>
        {
            await call.Client.SendAsync(HttpMethod.Post, EngineClient.Query($"/containers/{EngineClient.Name(name)}/{verb}", query), stop);
            await call.Shell.Out.WriteLineAsync(name);
        });
}
