using System.CommandLine;
using System.Globalization;
using Orchestrator.Cli.Client;
using Orchestrator.Cli.Compose.Values;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Containers;

/// <summary><c>pause</c>, <c>unpause</c>, <c>update</c> and <c>top</c>.</summary>
internal static class LimitCommands
{
    internal static Command Pause(Shell shell) => Each(shell, "pause", "Pause all processes within one or more containers");

    internal static Command Unpause(Shell shell) => Each(shell, "unpause", "Unpause all processes within one or more containers");

    internal static Command Top(Shell shell)
    {
        var name = Flags.One("CONTAINER");
        var options = new Argument<string[]>("ps OPTIONS") { Arity = ArgumentArity.ZeroOrMore };
        return new Command("top", "Display the running processes of a container").Does(shell, [name, options], async (call, stop) =>
        {
            var arguments = string.Join(' ', call.Get(options));
            var reply = await call.Client.GetAsync<ContainerTopReply>(
                EngineClient.Query($"/containers/{EngineClient.Name(call.Get(name))}/top", ("ps_args", arguments.Length > 0 ? arguments : null)), stop);
            await call.Shell.Out.WriteAsync(TopText.Write(reply));
            return 0;
        });
    }

    internal static Command Update(Shell shell)
    {
        var weight = Flags.Text("--blkio-weight", "Block IO (relative weight), between 10 and 1000, or 0 to leave it", "uint16");
        var period = Flags.Text("--cpu-period", "Limit CPU CFS (Completely Fair Scheduler) period", "int");
        var quota = Flags.Text("--cpu-quota", "Limit CPU CFS (Completely Fair Scheduler) quota", "int");
        var rtPeriod = Flags.Text("--cpu-rt-period", "Limit the CPU real-time period in microseconds", "int");
        var rtRuntime = Flags.Text("--cpu-rt-runtime", "Limit the CPU real-time runtime in microseconds", "int");
        var shares = Flags.Text("--cpu-shares", "CPU shares (relative weight)", "int", "-c");
        var cpus = Flags.Text("--cpus", "Number of CPUs", "decimal");
        var cpuset = Flags.Text("--cpuset-cpus", "CPUs in which to allow execution (0-3, 0,1)");
        var mems = Flags.Text("--cpuset-mems", "MEMs in which to allow execution (0-3, 0,1)");
        var memory = Flags.Text("--memory", "Memory limit", "bytes", "-m");
        var reservation = Flags.Text("--memory-reservation", "Memory soft limit", "bytes");
        var swap = Flags.Text("--memory-swap", "Swap limit equal to memory plus swap: -1 to enable unlimited swap", "bytes");
        var pids = Flags.Text("--pids-limit", "Tune container pids limit (set -1 for unlimited)", "int");
        var restart = Flags.Text("--restart", "Restart policy to apply when a container exits");
        var names = Flags.Several("CONTAINER");
        Option[] options = [weight, period, quota, rtPeriod, rtRuntime, shares, cpus, cpuset, mems, memory, reservation, swap, pids, restart];
        return new Command("update", "Update configuration of one or more containers").Does(shell, [.. options, names], async (call, stop) =>
        {
            if (!options.Any(call.Has))
                throw new CommandException("you must provide one or more flags when using this command");
            long Number(Option<string?> option) => call.Get(option) is not { } text ? 0
                : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number
                : throw new CommandException($"invalid argument \"{text}\" for \"{option.Name}\" flag: it must be a whole number", 125);
            long Bytes(Option<string?> option) => call.Get(option) switch
            {
                null => 0,
                "-1" => -1,
                var text => ByteSizes.Parse(text) is { Error: null } size ? size.Value : throw new CommandException($"invalid argument for {option.Name}: {ByteSizes.Parse(text).Error}", 125),
            };
            var request = new ContainerUpdateRequest
            {
                BlkioWeight = (int)Number(weight), CpuPeriod = Number(period), CpuQuota = Number(quota), CpuRealtimePeriod = Number(rtPeriod),
                CpuRealtimeRuntime = Number(rtRuntime), CpuShares = Number(shares), CpusetCpus = call.Get(cpuset), CpusetMems = call.Get(mems),
                NanoCpus = call.Get(cpus) is not { } amount ? 0
                    : CpuAmounts.Parse(amount) is { Error: null } nano ? nano.Value : throw new CommandException($"invalid argument for --cpus: {CpuAmounts.Parse(amount).Error}", 125),
                Memory = Bytes(memory), MemoryReservation = Bytes(reservation), MemorySwap = Bytes(swap),
                PidsLimit = call.Has(pids) ? Number(pids) : null,
                RestartPolicy = call.Get(restart) is { } policy ? RestartFlag.Parse(policy) : null,
            };
            return await call.EachAsync(call.Get(names), async name =>
            {
                var reply = await call.Client.SendAsync<ContainerUpdateRequest, ContainerUpdateReply>(
                    HttpMethod.Post, $"/containers/{EngineClient.Name(name)}/update", request, stop);
                foreach (var warning in reply.Warnings)
                    await call.Shell.Error.WriteLineAsync(warning);
                await call.Shell.Out.WriteLineAsync(name);
            });
        });
    }

    private static Command Each(Shell shell, string verb, string what)
    {
        var names = Flags.Several("CONTAINER");
        return new Command(verb, what).Does(shell, [names], (call, stop) => call.EachAsync(call.Get(names), async name =>
        {
            await call.Client.SendAsync(HttpMethod.Post, $"/containers/{EngineClient.Name(name)}/{verb}", stop);
            await call.Shell.Out.WriteLineAsync(name);
        }));
    }
}
