using System.CommandLine;
using Orchestrator.Cli.Client;
using Orchestrator.Cli.Commands.Services;
using Orchestrator.Cli.Commands.Tasks;
using Orchestrator.Cli.Compose.Conversion;
using Orchestrator.Cli.Output;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Stacks;

/// <summary><c>orch stack …</c></summary>
internal static class StackCommands
{
    private sealed record StackRow(string Name, int Services);

    internal static Command Create(Shell shell) => Flags.Group(
        "stack", "Manage stacks", Config(shell), StackDeploy.Create(shell), List(shell), Tasks(shell), Remove(shell), Services(shell));

    private static string Of(string stack) => $"{StackSpec.NamespaceLabel}={stack}";

    private static Command Config(Shell shell)
    {
        var files = Flags.List("--compose-file", "Path to a Compose file, or \"-\" to read from stdin", "strings", "-c");
        return new Command("config", "Outputs the final config file, after doing merges and interpolations").Does(shell, [files], async (call, stop) =>
        {
            await shell.Out.WriteAsync(ComposeWriter.Write((await StackFiles.ReadAsync(shell, call.Get(files), stop)).Source));
            return 0;
        });
    }

    private static Command List(Shell shell)
    {
        var format = Flags.Format();
        return new Command("ls", "List stacks").Also("list").Does(shell, [format], async (call, stop) =>
        {
            var services = await call.ServicesAsync(Flags.Filters(null, ("label", StackSpec.NamespaceLabel)), stop);
            List<StackRow> stacks = [.. services
                .GroupBy(s => s.Spec.Labels[StackSpec.NamespaceLabel], StringComparer.Ordinal)
                .Select(g => new StackRow(g.Key, g.Count()))
                .OrderBy(s => s.Name, StringComparer.Ordinal)];
            var listing = new Listing<StackRow>([new("Name", "NAME", s => s.Name), new("Services", "SERVICES", s => $"{s.Services}")], ["Name", "Services"]);
            await call.WriteAsync(listing, stacks, call.Get(format), quiet: false);
            return 0;
        });
    }

    private static Command Services(Shell shell)
    {
        var (filter, format, quiet) = (Flags.Filter(), Flags.Format(), Flags.Quiet("Only display IDs"));
        var name = Flags.One("STACK");
        return new Command("services", "List the services in the stack").Does(shell, [filter, format, quiet, name], async (call, stop) =>
        {
            var services = await call.ServicesAsync(Flags.Filters(call.Get(filter), ("label", Of(call.Get(name)))), stop);
            if (services.Count == 0)
            {
                await shell.Error.WriteLineAsync($"Nothing found in stack: {call.Get(name)}");
                return 0;
            }
            await call.WriteAsync(ServiceRow.Listing(noTrunc: false), [.. services.OrderBy(s => s.Spec.Name, StringComparer.Ordinal)], call.Get(format), call.Get(quiet));
            return 0;
        });
    }

    private static Command Tasks(Shell shell)
    {
        var (filter, format, noTrunc, quiet) = (Flags.Filter(), Flags.Format(), Flags.NoTrunc(), Flags.Quiet("Only display task IDs"));
        var noResolve = Flags.Switch("--no-resolve", "Do not map IDs to Names");
        var name = Flags.One("STACK");
        return new Command("ps", "List the tasks in the stack").Does(shell, [filter, format, noTrunc, noResolve, quiet, name], async (call, stop) =>
        {
            var rows = await call.TaskRowsAsync(Flags.Filters(call.Get(filter), ("label", Of(call.Get(name)))), call.Get(noResolve), stop);
            if (rows.Count == 0)
                throw new CommandException($"nothing found in stack: {call.Get(name)}");
            await call.WriteAsync(TaskRow.Listing(call.Get(noTrunc), call.Now), rows, call.Get(format), call.Get(quiet));
            return 0;
        });
    }

    private static Command Remove(Shell shell)
    {
        var detach = new Option<bool>("--detach", "-d") { Description = "Do not wait for stack removal", DefaultValueFactory = _ => true };
        var names = Flags.Several("STACK");
        return new Command("rm", "Remove one or more stacks").Also("remove", "down").Does(shell, [detach, names], (call, stop) =>
            call.EachAsync(call.Get(names), async name =>
            {
                foreach (var change in await RemoveAsync(call, name, stop))
                    await shell.Out.WriteLineAsync($"Removing {change.Kind} {change.Name}");
                await shell.Out.FlushAsync(stop);
                if (!call.Get(detach))
                    await GoneAsync(call, name, stop);
            }));
    }

    /// <summary>What went; nothing, with a sentence, when there was no such stack.</summary>
    internal static async Task<IReadOnlyList<StackChange>> RemoveAsync(Invocation call, string name, CancellationToken stop)
    {
        try
        {
            using var response = await call.Client.OpenAsync(HttpMethod.Delete, $"/orch/stacks/{EngineClient.Name(name)}", null, stop);
            var body = await response.Content.ReadAsByteArrayAsync(stop);
            return body.Length == 0 ? [] : ModelJson.Read<StackReply>(body).Changes;
        }
        catch (EngineException e) when (e.Status == 404)
        {
            await call.Shell.Error.WriteLineAsync($"Nothing found in stack: {name}");
            return [];
        }
    }

    /// <summary>Waits until no task of the stack is left running.</summary>
    internal static async Task GoneAsync(Invocation call, string name, CancellationToken stop)
    {
        var path = EngineClient.Query("/tasks", ("filters", EngineClient.Filters(Flags.Filters(null, ("label", Of(name))))));
        while ((await call.Client.GetAsync<IReadOnlyList<ServiceTask>>(path, stop)).Any(t => !t.Status.State.IsTerminal()))
            await Task.Delay(TimeSpan.FromMilliseconds(100), call.Shell.Time, stop);
    }
}
