using System.CommandLine;
using Orchestrator.Cli.Client;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Containers;

/// <summary><c>stats</c>: once, or again each second until it is interrupted.</summary>
internal static class StatsCommand
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    internal static Command Create(Shell shell)
    {
        var all = Flags.Switch("--all", "Show all containers (default shows just running)", "-a");
        var noStream = Flags.Switch("--no-stream", "Disable streaming stats and only pull the first result");
        var (format, noTrunc) = (Flags.Format(), Flags.NoTrunc());
        var names = new Argument<string[]>("CONTAINER") { Arity = ArgumentArity.ZeroOrMore };
        return new Command("stats", "Display a live stream of container(s) resource usage statistics").Does(shell, [all, format, noStream, noTrunc, names], async (call, stop) =>
        {
            var listing = StatsRow.Listing(call.Get(noTrunc));
            var before = new Dictionary<string, ContainerStats>(StringComparer.Ordinal);
            if (call.Get(noStream))
            {
                var once = await Task.WhenAll((await TargetsAsync(call, call.Get(names), call.Get(all), stop)).Select(name => ReadAsync(call, name, null, strict: true, stop)));
                await call.Shell.Out.WriteAsync(listing.Render(once, call.Get(format)));
                return 0;
            }

            for (var strict = call.Get(names).Length > 0; ; strict = false)
            {
                var targets = await TargetsAsync(call, call.Get(names), call.Get(all), stop);
                var readings = await Task.WhenAll(targets.Select(name => ReadAsync(call, name, before, strict, stop)));
                foreach (var reading in readings.Where(r => r.Stats is not null))
                    before[reading.Asked] = reading.Stats!;
                if (call.Shell.IsTerminal)
                    await call.Shell.Out.WriteAsync("\e[H\e[2J");
                await call.Shell.Out.WriteAsync(listing.Render(readings, call.Get(format)));
                await call.Shell.Out.FlushAsync(stop);
                await Task.Delay(Interval, call.Shell.Time, stop);
            }
        });
    }

    /// <summary>Without names all that run, by id; asked anew each time, so that they come and go.</summary>
    private static async Task<IReadOnlyList<string>> TargetsAsync(Invocation call, string[] names, bool all, CancellationToken stop)
    {
        if (names.Length > 0)
            return names;
        var containers = await call.Client.GetAsync<IReadOnlyList<ContainerSummary>>(EngineClient.Query("/containers/json", ("all", all ? "1" : null)), stop);
        return [.. containers.Select(c => c.Id[..12])];
    }

    /// <param name="call">The call.</param>
    /// <param name="name">The container.</param>
    /// <param name="before">Readings so far, to measure against; null: the daemon measures over a second.</param>
    /// <param name="strict">A container that is not there is an error; later it has just been removed.</param>
    /// <param name="stop">Cancels.</param>
    private static async Task<StatsReading> ReadAsync(
        Invocation call, string name, Dictionary<string, ContainerStats>? before, bool strict, CancellationToken stop)
    {
        try
        {
            var stats = await call.Client.GetWithOthersAsync<ContainerStats>(
                EngineClient.Query($"/containers/{EngineClient.Name(name)}/stats", ("stream", "0"), ("one-shot", before is null ? null : "1")), stop);
            return new(name, before?.GetValueOrDefault(name) is { } last ? stats with { PreRead = last.Read, PreCpu = last.Cpu } : stats);
        }
        catch (EngineException gone) when (gone.Status == 404 && !strict)
        {
            return new(name, null);
        }
    }
}
