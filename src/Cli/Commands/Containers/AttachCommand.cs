using System.CommandLine;
using Orchestrator.Cli.Client;
using Orchestrator.Cli.Commands.Containers.Creation;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Containers;

/// <summary><c>orch attach</c> and <c>orch start</c>, which attaches with <c>-a</c> and <c>-i</c>.</summary>
internal static class AttachCommand
{
    internal static Command Create(Shell shell)
    {
        var keys = Flags.Text("--detach-keys", "Override the key sequence for detaching a container");
        var noStdin = Flags.Switch("--no-stdin", "Do not attach STDIN");
        var proxy = Proxy();
        var name = Flags.One("CONTAINER");
        return new Command("attach", "Attach local standard input, output, and error streams to a running container").Does(
            shell, [keys, noStdin, proxy, name], async (call, stop) =>
        {
            var container = await InspectAsync(call, call.Get(name), stop);
            if (container.State.Status == "paused")
                throw new CommandException("cannot attach to a paused container, unpause it first");
            if (container.State.Restarting)
                throw new CommandException("cannot attach to a restarting container, wait until it is running");
            if (!container.State.Running)
                throw new CommandException("cannot attach to a stopped container, start it first");
            var stdin = !call.Get(noStdin) && container.Config.OpenStdin;
            if (stdin)
                Seating.CheckTerminal(call.Shell, container.Config.Tty);
            return await Seat(container, stdin, call.Get(keys), call.Get(proxy)).JoinAsync(call, container.Id, stop);
        });
    }

    internal static Command Start(Shell shell)
    {
        var attach = Flags.Switch("--attach", "Attach STDOUT/STDERR and forward signals", "-a");
        var interactive = Flags.Switch("--interactive", "Attach container's STDIN", "-i");
        var keys = Flags.Text("--detach-keys", "Override the key sequence for detaching a container");
        var proxy = Proxy();
        var names = Flags.Several("CONTAINER");
        return new Command("start", "Start one or more stopped containers").Does(shell, [attach, interactive, keys, proxy, names], async (call, stop) =>
        {
            if (!call.Get(attach) && !call.Get(interactive))
                return await ContainerCommands.PostEachAsync(call, call.Get(names), "start", [], stop);
            if (call.Get(names).Length > 1)
                throw new CommandException("you cannot start and attach multiple containers at once");
            var container = await InspectAsync(call, call.Get(names)[0], stop);
            var stdin = call.Get(interactive) && container.Config.OpenStdin;
            if (stdin)
                Seating.CheckTerminal(call.Shell, container.Config.Tty);
            var seat = Seat(container, stdin, call.Get(keys), call.Get(proxy)) with { Removed = container.HostConfig.AutoRemove };
            return container.State.Running ? await seat.JoinAsync(call, container.Id, stop) : await seat.StartAsync(call, container.Id, stop);
        });
    }

    private static Seating Seat(ContainerInspect container, bool stdin, string? keys, bool proxies) => new()
    {
        Streams = new AttachedStreams(stdin, Stdout: true, Stderr: true),
        Tty = container.Config.Tty,
        Keys = Seating.ReadKeys(keys),
        KeysText = keys,
        Proxies = proxies,
    };

    private static Option<bool> Proxy() => new("--sig-proxy") { Description = "Proxy all received signals to the process", DefaultValueFactory = _ => true };

    private static Task<ContainerInspect> InspectAsync(Invocation call, string name, CancellationToken stop) =>
        call.Client.GetAsync<ContainerInspect>($"/containers/{EngineClient.Name(name)}/json", stop);
}
