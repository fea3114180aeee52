using System.CommandLine;
using System.Globalization;
using Orchestrator.Cli.Client;
using Orchestrator.Cli.Commands.Systems;
using Orchestrator.Cli.Output;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Containers;

/// <summary>Restart, rename, port and prune.</summary>
internal static class UpkeepCommands
{
    internal static Command Restart(Shell shell)
    {
        var signal = Flags.Text("--signal", "Signal to send to the container", "string", "-s");
        var timeout = Flags.Whole("--timeout", "Seconds to wait before killing the container", "int", "-t", "--time");
        var names = Flags.Several("CONTAINER");
        return new Command("restart", "Restart one or more containers").Does(shell, [signal, timeout, names], (call, stop) =>
            ContainerCommands.PostEachAsync(
                call, call.Get(names), "restart", [("signal", call.Get(signal)), ("t", call.Get(timeout)?.ToString(CultureInfo.InvariantCulture))], stop));
    }

    internal static Command Rename(Shell shell)
    {
        var (from, to) = (Flags.One("CONTAINER"), Flags.One("NEW_NAME"));
        return new Command("rename", "Rename a container").Does(shell, [from, to], async (call, stop) =>
        {
            await call.Client.SendAsync(HttpMethod.Post, EngineClient.Query($"/containers/{EngineClient.Name(call.Get(from))}/rename", ("name", call.Get(to))), stop);
            return 0;
        });
    }

    internal static Command Port(Shell shell)
    {
        var name = Flags.One("CONTAINER");
        var wanted = new Argument<string?>("PRIVATE_PORT[/PROTO]") { Arity = ArgumentArity.ZeroOrOne };
        return new Command("port", "List port mappings or a specific mapping for the container").Does(shell, [name, wanted], async (call, stop) =>
        {
            var container = await call.Client.GetAsync<ContainerInspect>($"/containers/{EngineClient.Name(call.Get(name))}/json", stop);
            var ports = container.NetworkSettings.Ports;
            if (call.Get(wanted) is { } port)
            {
                var key = port.Contains('/') ? port : port + "/tcp";
                if (ports.GetValueOrDefault(key) is not { Count: > 0 } bindings)
                    throw new CommandException($"no public port '{key}' published for {call.Get(name)}");
                foreach (var binding in bindings)
                    await call.Shell.Out.WriteLineAsync(Address(binding));
                return 0;
            }

            foreach (var (key, bindings) in ports.OrderBy(p => int.Parse(p.Key.Split('/')[0], CultureInfo.InvariantCulture)).ThenBy(p => p.Key, StringComparer.Ordinal))
            {
                foreach (var binding in bindings ?? [])
                    await call.Shell.Out.WriteLineAsync($"{key} -> {Address(binding)}");
            }

            return 0;
        });
    }

    internal static Command Prune(Shell shell)
    {
        var force = Flags.Switch("--force", "Do not prompt for confirmation", "-f");
        var filter = Flags.List("--filter", "Provide filter values (e.g. \"until=<timestamp>\")", "filter");
        return new Command("prune", "Remove all stopped containers").Does(shell, [force, filter], async (call, stop) =>
        {
            if (!call.Get(force) && !await Consent.IsGivenAsync(call, "WARNING! This will remove all stopped containers.", stop))
                return 0;
            var pruned = await Pruning.ContainersAsync(call, Flags.Filters(call.Get(filter)), stop);
            await pruned.WriteAsync(call);
            await call.Shell.Out.WriteLineAsync($"Total reclaimed space: {Humanized.Size(pruned.Bytes)}");
            return 0;
        });
    }

    private static string Address(PortBinding binding) =>
        $"{(binding.HostIp is { } ip && ip.Contains(':') ? $"[{ip}]" : binding.HostIp ?? "0.0.0.0")}:{binding.HostPort}";
}
