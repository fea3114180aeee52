using System.CommandLine;
using Orchestrator.Cli.Client;
using Orchestrator.Cli.Commands.Inspection;
using Orchestrator.Cli.Commands.Services;
using Orchestrator.Cli.Commands.Systems;
using Orchestrator.Cli.Output;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Volumes;

/// <summary><c>orch volume …</c></summary>
internal static class VolumeCommands
{
    internal static Command Create(Shell shell) => Flags.Group(
        "volume", "Manage volumes", Add(shell), InspectCommand.Of(shell, "volume", "volumes"), List(shell), Prune(shell), Remove(shell));

    private static Listing<Volume> Listing() => new(
        [
            new("Driver", "DRIVER", v => v.Driver),
            new("Name", "VOLUME NAME", v => v.Name),
            new("Scope", "SCOPE", v => v.Scope),
            new("Mountpoint", "MOUNTPOINT", v => v.Mountpoint),
            new("Labels", "LABELS", v => Texts.Labels(v.Labels)),
            new("Links", "LINKS", _ => "N/A"),
            new("Size", "SIZE", _ => "N/A"),
            new("Availability", "AVAILABILITY", _ => "N/A"),
            new("Group", "GROUP", _ => "N/A"),
            new("Status", "STATUS", _ => "N/A"),
        ],
        ["Driver", "Name"]);

    private static Command List(Shell shell)
    {
        var (filter, format, quiet) = (Flags.Filter(), Flags.Format(), Flags.Quiet("Only display volume names"));
        return new Command("ls", "List volumes").Also("list").Does(shell, [filter, format, quiet], async (call, stop) =>
        {
            var reply = await call.Client.GetAsync<VolumeListReply>(
                EngineClient.Query("/volumes", ("filters", EngineClient.Filters(Flags.Filters(call.Get(filter))))), stop);
            Volume[] volumes = [.. reply.Volumes.OrderBy(v => v.Name, StringComparer.Ordinal)];
            if (call.Get(quiet) && call.Get(format) is null or "")
            {
                foreach (var volume in volumes)
                    await call.Shell.Out.WriteLineAsync(volume.Name);
                return 0;
            }

            await call.Shell.Out.WriteAsync(Listing().Render(volumes, call.Get(format)));
            return 0;
        });
    }

    private static Command Add(Shell shell)
    {
        var driver = Flags.Text("--driver", "Volume driver: local, which mounts what the kernel can mount", "string", "-d");
        var label = Flags.List("--label", "Set metadata for a volume", "list");
        var option = Flags.List("--opt", "Set driver specific options: type, device and o, as in mount(8)", "map", "-o");
        var old = Flags.Text("--name", "Specify volume name");
        old.Hidden = true;
        var name = new Argument<string?>("VOLUME") { Arity = ArgumentArity.ZeroOrOne };
        return new Command("create", "Create a volume").Does(shell, [driver, label, option, old, name], async (call, stop) =>
        {
            if (call.Get(old) is { Length: > 0 } && call.Get(name) is { Length: > 0 })
                throw new CommandException("conflicting options: cannot specify a volume-name through both --name and as a positional arg");
            var request = new VolumeCreateRequest
            {
                Name = call.Get(name) ?? call.Get(old) ?? "",
                Driver = call.Get(driver) ?? "local",
                DriverOpts = ServiceFlags.Pairs(new Dictionary<string, string>(), call.Get(option)),
                Labels = ServiceFlags.Pairs(new Dictionary<string, string>(), call.Get(label)),
            };
            var made = await call.Client.SendAsync<VolumeCreateRequest, Volume>(HttpMethod.Post, "/volumes/create", request, stop);
            await call.Shell.Out.WriteLineAsync(made.Name);
            return 0;
        });
    }

    private static Command Remove(Shell shell)
    {
        var force = Flags.Switch("--force", "Force the removal of one or more volumes", "-f");
        var names = Flags.Several("VOLUME");
        return new Command("rm", "Remove one or more volumes").Also("remove").Does(shell, [force, names], (call, stop) =>
            call.EachAsync(call.Get(names), async name =>
            {
                await call.Client.SendAsync(HttpMethod.Delete, EngineClient.Query($"/volumes/{EngineClient.Name(name)}", ("force", call.Get(force) ? "1" : null)), stop);
                await call.Shell.Out.WriteLineAsync(name);
            }));
    }

    private static Command Prune(Shell shell)
    {
        var all = Flags.Switch("--all", "Remove all unused volumes, not just anonymous ones", "-a");
        var (filter, force) = (Flags.Filter(), Flags.Switch("--force", "Do not prompt for confirmation", "-f"));
        return new Command("prune", "Remove unused local volumes").Does(shell, [all, filter, force], async (call, stop) =>
        {
            var what = call.Get(all) ? "all local volumes" : "anonymous local volumes";
            if (!call.Get(force))
                await Consent.AskAsync(call, $"WARNING! This will remove {what} not used by at least one container.");
            var filters = Flags.Filters(call.Get(filter));
            if (call.Get(all))
                filters["all"] = ["true"];
            var pruned = await Pruning.VolumesAsync(call, filters, stop);
            await pruned.WriteAsync(call);
            await call.Shell.Out.WriteLineAsync($"Total reclaimed space: {Humanized.Size4(pruned.Bytes)}");
            return 0;
        });
    }
}
