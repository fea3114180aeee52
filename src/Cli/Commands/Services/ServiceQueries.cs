using Orchestrator.Cli.Client;
using Orchestrator.Cli.Commands.Progress;
using Orchestrator.Cli.Commands.Tasks;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Services;

/// <summary>What service and stack commands share in asking and waiting.</summary>
internal static class ServiceQueries
{
    internal static Task<Service> ServiceAsync(this Invocation call, string name, CancellationToken stop) =>
        call.Client.GetAsync<Service>($"/services/{EngineClient.Name(name)}", stop);

    internal static Task<IReadOnlyList<Service>> ServicesAsync(
        this Invocation call, IReadOnlyDictionary<string, IReadOnlyList<string>> filters, CancellationToken stop) =>
        call.Client.GetAsync<IReadOnlyList<Service>>(
            EngineClient.Query("/services", ("status", "true"), ("filters", EngineClient.Filters(filters))), stop);

    /// <summary>Tasks as rows, with the names of their services and nodes.</summary>
    internal static async Task<IReadOnlyList<TaskRow>> TaskRowsAsync(
        this Invocation call, IReadOnlyDictionary<string, IReadOnlyList<string>> filters, bool noResolve, CancellationToken stop)
    {
        var tasks = await call.Client.GetAsync<IReadOnlyList<ServiceTask>>(
            EngineClient.Query("/tasks", ("filters", EngineClient.Filters(filters))), stop);
        if (noResolve)
            return TaskRow.Order(tasks, t => t.ServiceId.Value, n => n.Value);
        var services = (await call.Client.GetAsync<IReadOnlyList<Service>>("/services", stop)).ToDictionary(s => s.Id, s => s.Spec.Name);
        var nodes = (await call.Client.GetAsync<IReadOnlyList<Node>>("/nodes", stop)).ToDictionary(n => n.Id, n => n.Description?.Hostname ?? n.Id.Value);
        return TaskRow.Order(
            tasks,
            t => services.GetValueOrDefault(t.ServiceId) ?? (t.ServiceName.Length > 0 ? t.ServiceName : t.ServiceId.Value),
            n => nodes.GetValueOrDefault(n) ?? n.Value);
    }

    /// <summary>Prints rows as the common flags say.</summary>
    internal static async Task WriteAsync<T>(this Invocation call, Output.Listing<T> listing, IReadOnlyList<T> rows, string? format, bool quiet)
    {
        if (quiet && string.IsNullOrEmpty(format))
            format = "{{.ID}}";
        await call.Shell.Out.WriteAsync(listing.Render(rows, format));
    }

    /// <summary>Waits for services; on Ctrl-C says that the change goes on. The number is the exit code.</summary>
    internal static async Task<int> AwaitServicesAsync(
        this Invocation call, ServiceWait wait, IReadOnlyList<string> ids, string look, CancellationToken stop)
    {
        try
        {
            if (await wait.RunAsync(ids, stop) is not { } reason)
                return 0;
            await call.Shell.Out.FlushAsync(CancellationToken.None);
            await call.Shell.Error.WriteLineAsync(reason);
            return 1;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await call.Shell.Out.FlushAsync(CancellationToken.None);
            await call.Shell.Error.WriteLineAsync($"No longer waiting; the change goes on. See how it goes: {look}");
            return 130;
        }
    }
}
