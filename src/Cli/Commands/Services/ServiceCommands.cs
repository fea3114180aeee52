using System.CommandLine;
using Orchestrator.Cli.Client;
using Orchestrator.Cli.Commands.Inspection;
using Orchestrator.Cli.Commands.Logs;
using Orchestrator.Cli.Commands.Progress;
using Orchestrator.Cli.Commands.Tasks;

namespace Orchestrator.Cli.Commands.Services;

/// <summary><c>orch service …</c></summary>
internal static class ServiceCommands
{
    internal static Command Create(Shell shell) => Flags.Group(
        "service", "Manage services",
        ServiceCreate.Create(shell), List(shell), Tasks(shell), InspectCommand.Of(shell, "service", "services"), Scale(shell),
        ServiceLogs.Create(shell), ServiceUpdate.Create(shell), ServiceRollback.Create(shell), Remove(shell));

    private static Command List(Shell shell)
    {
        var (filter, format, quiet) = (Flags.Filter(), Flags.Format(), Flags.Quiet("Only display IDs"));
        return new Command("ls", "List services").Also("list").Does(shell, [filter, format, quiet], async (call, stop) =>
        {
            var services = await call.ServicesAsync(Flags.Filters(call.Get(filter)), stop);
            await call.WriteAsync(ServiceRow.Listing(noTrunc: false), [.. services.OrderBy(s => s.Spec.Name, StringComparer.Ordinal)], call.Get(format), call.Get(quiet));
            return 0;
        });
    }

    private static Command Tasks(Shell shell)
    {
        var (filter, format, noTrunc, quiet) = (Flags.Filter(), Flags.Format(), Flags.NoTrunc(), Flags.Quiet("Only display task IDs"));
        var noResolve = Flags.Switch("--no-resolve", "Do not map IDs to Names");
        var names = Flags.Several("SERVICE");
        return new Command("ps", "List the tasks of one or more services").Does(shell, [filter, format, noTrunc, noResolve, quiet, names], async (call, stop) =>
        {
            var found = new List<string>();
            var code = await call.EachAsync(call.Get(names), async name => found.Add((await call.ServiceAsync(name, stop)).Id.Value));
            if (found.Count > 0)
            {
                var filters = Flags.Filters(call.Get(filter), [.. found.Select(id => ("service", id))]);
                var rows = await call.TaskRowsAsync(filters, call.Get(noResolve), stop);
                await call.WriteAsync(TaskRow.Listing(call.Get(noTrunc) || call.Get(quiet), call.Now), rows, call.Get(format), call.Get(quiet));
            }
            return code;
        });
    }

    private static Command Scale(Shell shell)
    {
        var detach = Flags.Switch("--detach", "Exit immediately instead of waiting for the service to converge", "-d");
        var pairs = Flags.Several("SERVICE=REPLICAS");
        return new Command("scale", "Scale one or multiple replicated services").Does(shell, [detach, pairs], async (call, stop) =>
        {
            var wants = call.Get(pairs).Select(Want).ToList();
            var wait = new ServiceWait(call);
            var ids = new List<string>();
            var code = await call.EachAsync(wants.Select(w => w.Name), async name =>
            {
                var service = await call.ServiceAsync(name, stop);
                if (service.Spec.Mode.IsGlobal)
                    throw new EngineException(400, $"{name}: scale can only be used with replicated or replicated-job mode", []);
                await wait.NoteAsync(Flags.Filters(null, ("service", service.Id.Value)), stop);
                var replicas = wants.First(w => w.Name == name).Replicas;
                var spec = service.Spec with { Mode = ServiceFlags.Scaled(service.Spec.Mode, replicas) };
                await ServiceUpdate.SendAsync(call, service, spec, stop);
                ids.Add(service.Id.Value);
                await call.Shell.Out.WriteLineAsync($"{name} scaled to {replicas}");
            });
            if (call.Get(detach) || ids.Count == 0)
                return code;
            return Math.Max(code, await call.AwaitServicesAsync(wait, ids, "orch service ls", stop));
        });
    }

    private static (string Name, ulong Replicas) Want(string pair)
    {
        var equals = pair.IndexOf('=');
        if (equals <= 0)
            throw new CommandException($"invalid scale specifier '{pair}': use SERVICE=REPLICAS");
        return ulong.TryParse(pair[(equals + 1)..], System.Globalization.CultureInfo.InvariantCulture, out var replicas)
            ? (pair[..equals], replicas)
            : throw new CommandException($"invalid replicas value '{pair[(equals + 1)..]}' for {pair[..equals]}: it must be a whole number from 0");
    }

    private static Command Remove(Shell shell)
    {
        var names = Flags.Several("SERVICE");
        return new Command("rm", "Remove one or more services").Also("remove").Does(shell, [names], (call, stop) =>
            call.EachAsync(call.Get(names), async name =>
            {
                await call.Client.SendAsync(HttpMethod.Delete, $"/services/{EngineClient.Name(name)}", stop);
                await call.Shell.Out.WriteLineAsync(name);
            }));
    }
}
