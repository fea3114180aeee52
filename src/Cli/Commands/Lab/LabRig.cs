using System.Collections.Immutable;
using System.Net;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Cli.Client;
using Orchestrator.Worker.Lab;

namespace Orchestrator.Cli.Commands.Lab;

/// <summary>The lab's hosts and the network between them: power, cables, daemons.</summary>
/// <param name="book">What there is.</param>
/// <param name="place">Where.</param>
/// <param name="shell">What programs in the hosts inherit.</param>
internal sealed partial class LabRig(LabBook book, LabPlace place, Shell shell)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly LabGroups _groups = new(place.Cgroup, shell.Time);

    private LabState State => book.Current!;

    /// <summary>The switch runs and every host that has power is connected.</summary>
    internal async Task EnsureSwitchAsync(CancellationToken stop)
    {
        if (State.Switch?.Process.IsAlive == true)
            return;
        var holder = await HoldAsync(LabPlace.Switch, stop);
        using var ns = LabHost.OpenNetwork(holder.Process);
        var lan = new LabSwitch(ns);
        await lan.MakeAsync(State.Gateway, State.Network.PrefixLength);
        await lan.DropAsync(LabCutPlan.Drops(State.Cuts));
        book.Change(s => s with { Switch = holder });
        foreach (var host in State.Hosts.Where(h => h.Holder?.Process.IsAlive == true))
            await PlugAsync(lan, host);
    }

    /// <summary>Gives a host power: namespaces, network, daemon. Answers when the daemon does.</summary>
    internal async Task PowerOnAsync(string name, CancellationToken stop)
    {
        var host = State.Host(name);
        if (host.Holder?.Process.IsAlive == true)
            throw new CommandException($"{name} has power already");
        var holder = await HoldAsync(name, stop);
        book.Change(s => s.With(s.Host(name) with { Holder = holder, Daemon = null }));
        await OnSwitchAsync(lan => PlugAsync(lan, State.Host(name)));
        await StartDaemonAsync(name, stop);
    }

    /// <summary>Ends everything in the host at once, as a power cut does. Its disk stays as it is.</summary>
    internal async Task PowerOffAsync(string name, CancellationToken stop)
    {
        var host = State.Host(name);
        // First the cable: a machine without power tells nobody that its connections end, which the kernel would do for its programs.
        if (State.Switch?.Process.IsAlive == true)
            await OnSwitchAsync(lan => lan.UnplugAsync(name));
        using var ns = Network(host);
        if (host.Holder is { } holder && !await holder.Process.EndAsync(9, Patience, shell.Time, stop))
            throw new CommandException($"{name}: its first process (pid {holder.Process.Pid}) does not end: something in the host is stuck in the kernel");
        if (await _groups.Of(name).RemoveAsync(stop) is { Count: > 0 } left)
            throw new CommandException($"{name}: {string.Join("; ", left)}");
        if (ns is not null)
            await LabHost.ForgetConnectionsAsync(ns);
        book.Change(s => s.With(s.Host(name) with { Holder = null, Daemon = null }));
    }

    /// <summary>Ends the daemon alone, politely or as a crash; containers go on.</summary>
    internal async Task StopDaemonAsync(string name, int signal, CancellationToken stop)
    {
        if (State.Host(name).Daemon is not { } daemon)
            return;
        if (!await daemon.EndAsync(signal, Patience, shell.Time, stop))
            throw new CommandException($"{name}: the daemon (pid {daemon.Pid}) does not end within {Patience.TotalSeconds:F0} s; its log ends:\n{Tail(name)}");
        book.Change(s => s.With(s.Host(name) with { Daemon = null }));
    }

    /// <summary>Starts the host's daemon and waits until it answers.</summary>
    internal async Task StartDaemonAsync(string name, CancellationToken stop)
    {
        var host = State.Host(name);
        if (host.Holder is not { } holder || !holder.Process.IsAlive)
            throw new CommandException($"{name} has no power: orch lab start {name}");
        using (var log = new FileStream(place.Log(name), FileMode.Append, FileAccess.Write, FileShare.ReadWrite))
        {
            var daemon = LabHost.Leave(LabHost.Enter(holder.Process, _groups.Of(name), new LabEntry
            {
                Arguments =
                [
                    .. LabProgram.Self(),
                    "daemon", "--data-root", place.Data(name), "--exec-root", "/run/orch",
                    "-H", "unix:///run/orch/orch.sock", "-H", $"unix://{place.Socket(name)}", .. State.DaemonArguments,
                ],
                Environment = LabProgram.Environment(shell.Environment),
                Log = log.SafeFileHandle,
            }));
            book.Change(s => s.With(s.Host(name) with { Daemon = daemon }));
        }

        await AnswersAsync(name, stop);
    }

    /// <summary>What the network does about these cuts, from now on.</summary>
    internal async Task CutAsync(ImmutableArray<LabCut> cuts)
    {
        // Written first: a switch that is made anew drops what is written.
        book.Change(s => s with { Cuts = cuts });
        if (State.Switch?.Process.IsAlive == true)
            await OnSwitchAsync(lan => lan.DropAsync(LabCutPlan.Drops(cuts)));
    }

    /// <summary>The last lines of the host's daemon.</summary>
    internal string Tail(string name) => File.Exists(place.Log(name)) ? string.Join('\n', File.ReadLines(place.Log(name)).TakeLast(15)) : "(empty)";

    private async Task AnswersAsync(string name, CancellationToken stop)
    {
        var daemon = State.Host(name).Daemon!;
        using var client = new EngineClient(new EngineAddress(place.Socket(name), "lab"));
        var began = shell.Time.GetTimestamp();
        while (true)
        {
            try
            {
                await client.SendAsync(HttpMethod.Get, "/_ping", stop);
                return;
            }
            catch (EngineUnreachableException)
            {
                // Not yet, or never: the process tells.
            }

            if (!daemon.IsAlive)
                throw new CommandException($"{name}: the daemon ended at once; its log, {place.Log(name)}, ends:\n{Tail(name)}");
            if (shell.Time.GetElapsedTime(began) > Patience)
                throw new CommandException($"{name}: the daemon does not answer after {Patience.TotalSeconds:F0} s; its log, {place.Log(name)}, ends:\n{Tail(name)}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), shell.Time, stop);
        }
    }

    private async Task<LabHolder> HoldAsync(string name, CancellationToken stop)
    {
        var groups = _groups.Of(name);
        // What an earlier attempt left that nobody wrote down.
        if (await groups.RemoveAsync(stop) is { Count: > 0 } left)
            throw new CommandException($"{name}: {string.Join("; ", left)}");
        var binds = LabEtc.Write(place, State, name);
        groups.Make();
        var process = LabHost.Make(new LabHostSpec { Title = $"orch-lab {place.Name} {name}", Hostname = name, Binds = binds }, groups);
        return new LabHolder(process, [.. LabNamespaces.Of(process.Pid)]);
    }

    /// <summary>Held so that it can be looked at after the host's end; null when that has come.</summary>
    private static SafeFileHandle? Network(LabHostState host) => host.Holder?.Process.IsAlive == true ? LabHost.OpenNetwork(host.Holder.Process) : null;

    private Task PlugAsync(LabSwitch lan, LabHostState host) => LabHost.InNetworkAsync(
        host.Holder!.Process, ns => lan.PlugAsync(host.Name, ns, IPAddress.Parse(host.Address), State.Network.PrefixLength, State.Gateway));

    private Task OnSwitchAsync(Func<LabSwitch, Task> act) => LabHost.InNetworkAsync(
        State.Switch?.Process ?? throw new CommandException("the lab's switch is not running: orch lab start"), ns => act(new LabSwitch(ns)));
}
