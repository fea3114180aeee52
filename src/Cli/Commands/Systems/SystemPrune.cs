using System.CommandLine;
using System.Text;
using Orchestrator.Cli.Output;

namespace Orchestrator.Cli.Commands.Systems;

/// <summary><c>orch system prune</c>: everything of this host that nobody uses.</summary>
internal static class SystemPrune
{
    internal static Command Create(Shell shell)
    {
        var all = Flags.Switch("--all", "Remove all unused images not just dangling ones", "-a");
        var volumes = Flags.Switch("--volumes", "Prune anonymous volumes");
        var (filter, force) = (Flags.List("--filter", "Provide filter values (e.g. \"label=<key>=<value>\")", "filter"), Flags.Switch("--force", "Do not prompt for confirmation", "-f"));
        return new Command("prune", "Remove unused data").Does(shell, [all, volumes, filter, force], async (call, stop) =>
        {
            var filters = Flags.Filters(call.Get(filter));
            if (call.Get(volumes) && filters.ContainsKey("until"))
                throw new CommandException("ERROR: The \"until\" filter is not supported with \"--volumes\"");
            if (!call.Get(force))
                await Consent.AskAsync(call, Warning(call.Get(all), call.Get(volumes), filters));
            var images = new Dictionary<string, IReadOnlyList<string>>(filters, StringComparer.Ordinal) { ["dangling"] = [call.Get(all) ? "false" : "true"] };
            var bytes = 0L;
            async Task Tell(Task<Pruned> pruning)
            {
                var pruned = await pruning;
                await pruned.WriteAsync(call);
                bytes += pruned.Bytes;
            }

            await Tell(Pruning.ContainersAsync(call, filters, stop));
            await Tell(Pruning.NetworksAsync(call, filters, stop));
            if (call.Get(volumes))
                await Tell(Pruning.VolumesAsync(call, filters, stop));
            await Tell(Pruning.ImagesAsync(call, images, stop));
            // The cache knows no labels: with a filter on them nothing of it is meant.
            if (!filters.ContainsKey("label") && !filters.ContainsKey("label!"))
                await Tell(Pruning.BuildCacheAsync(call, filters, stop));
            await call.Shell.Out.WriteLineAsync($"Total reclaimed space: {Humanized.Size4(bytes)}");
            return 0;
        });
    }

    private static string Warning(bool all, bool volumes, Dictionary<string, IReadOnlyList<string>> filters)
    {
        var text = new StringBuilder("WARNING! This will remove:\n  - all stopped containers\n  - all networks not used by at least one container\n");
        if (volumes)
            text.Append("  - all anonymous volumes not used by at least one container\n");
        text.Append(all ? "  - all images without at least one container associated to them\n" : "  - all dangling images\n");
        text.Append(all ? "  - all build cache\n" : "  - unused build cache\n");
        if (filters.Count > 0)
        {
            text.Append("\n  Items to be pruned will be filtered with:\n");
            foreach (var (key, values) in filters)
                text.Append("  - ").Append(string.Join(", ", values.Select(v => $"{key}={v}"))).Append('\n');
        }

        return text.ToString();
    }
}
