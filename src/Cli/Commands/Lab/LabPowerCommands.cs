using System.CommandLine;
using Orchestrator.Worker.Lab;

namespace Orchestrator.Cli.Commands.Lab;

/// <summary><c>orch lab start|stop|restart|cut|heal</c>: what happens to machines and cables.</summary>
internal static class LabPowerCommands
{
    internal static Command Start(Shell shell)
    {
        var flags = new LabFlags();
        var hosts = Hosts("HOST", ArgumentArity.ZeroOrMore);
        return new Command("start", "Give hosts power again; all that have none when none is named").Does(shell, flags.With(hosts), (call, stop) => flags.ChangeAsync(call, async (book, rig, _) =>
        {
            var state = book.Current!;
            var names = call.Get(hosts) is { Length: > 0 } given
                ? [.. given.Select(h => state.Host(h).Name)]
                : state.Hosts.Where(h => h.Holder?.Process.IsAlive != true).Select(h => h.Name).ToArray();
            await rig.EnsureSwitchAsync(stop);
            await Task.WhenAll(names.Select(n => rig.PowerOnAsync(n, stop)).ToList());
            await TellAsync(shell, names);
        }, stop));
    }

    internal static Command Stop(Shell shell)
    {
        var flags = new LabFlags();
        var hosts = Hosts("HOST", ArgumentArity.OneOrMore);
        return new Command("stop", "Cut hosts' power: everything in them ends at once, their disks stay").Does(shell, flags.With(hosts), (call, stop) => flags.ChangeAsync(call, async (book, rig, _) =>
        {
            var names = call.Get(hosts).Select(h => book.Current!.Host(h).Name).ToArray();
            await Task.WhenAll(names.Select(n => rig.PowerOffAsync(n, stop)).ToList());
            await TellAsync(shell, names);
        }, stop));
    }

    internal static Command Restart(Shell shell)
    {
        var flags = new LabFlags();
        var hosts = Hosts("HOST", ArgumentArity.OneOrMore);
        var crash = Flags.Switch("--kill", "End the daemons as a crash would, all at once (SIGKILL), instead of asking them one after the other");
        return new Command("restart", "Restart hosts' daemons; containers go on").Does(shell, flags.With(crash, hosts), (call, stop) => flags.ChangeAsync(call, async (book, rig, _) =>
        {
            var names = call.Get(hosts).Select(h => book.Current!.Host(h).Name).ToArray();
            if (call.Get(crash))
            {
                await Task.WhenAll(names.Select(n => rig.StopDaemonAsync(n, 9, stop)).ToList());
                await Task.WhenAll(names.Select(n => rig.StartDaemonAsync(n, stop)).ToList());
                await TellAsync(shell, names);
                return;
            }

            foreach (var name in names)
            {
                await rig.StopDaemonAsync(name, 15, stop);
                await rig.StartDaemonAsync(name, stop);
                await TellAsync(shell, [name]);
            }
        }, stop));
    }

    internal static Command Cut(Shell shell)
    {
        var flags = new LabFlags();
        var host = Flags.One("HOST");
        var from = Flags.List("--from", "Only from this host; may be given more than once", "HOST");
        return new Command("cut", "Let a host reach nobody and be reached by nobody; what it sends is lost without a word").Does(shell, flags.With(from, host), (call, stop) => flags.ChangeAsync(call, async (book, rig, _) =>
        {
            var state = book.Current!;
            var name = state.Host(call.Get(host)).Name;
            var others = (call.Get(from) ?? []).Select(h => state.Host(h).Name).ToList();
            if (others.Contains(name))
                throw new CommandException($"{name} cannot be cut from itself");
            var cuts = others.Count == 0
                ? LabCutPlan.Add(state.Cuts, new LabCut(name, null))
                : others.Aggregate(state.Cuts, (all, other) => LabCutPlan.Add(all, new LabCut(name, other)));
            await rig.CutAsync(cuts);
            await TellAsync(shell, [name]);
        }, stop));
    }

    internal static Command Heal(Shell shell)
    {
        var flags = new LabFlags();
        var host = new Argument<string?>("HOST") { Arity = ArgumentArity.ZeroOrOne };
        return new Command("heal", "Mend the cuts of a host, or all").Does(shell, flags.With(host), (call, stop) => flags.ChangeAsync(call, async (book, rig, _) =>
        {
            var state = book.Current!;
            var name = call.Get(host) is { } given ? state.Host(given).Name : null;
            await rig.CutAsync(LabCutPlan.Heal(state.Cuts, name));
            if (name is not null)
                await TellAsync(shell, [name]);
        }, stop));
    }

    private static Argument<string[]> Hosts(string name, ArgumentArity arity) => new(name) { Arity = arity };

    private static async Task TellAsync(Shell shell, IEnumerable<string> names)
    {
        foreach (var name in names)
            await shell.Out.WriteLineAsync(name);
        await shell.Out.FlushAsync(CancellationToken.None);
    }
}
