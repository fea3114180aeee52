using System.CommandLine;
using System.Text;
using Orchestrator.Cli.Client;
using Orchestrator.Cli.Commands.Tasks;
using Orchestrator.Cli.Commands.Services;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Logs;

/// <summary><c>orch service logs</c>: every line says which task on which node wrote it.</summary>
internal static class ServiceLogs
{
    internal static Command Create(Shell shell)
    {
        var flags = new LogFlags();
        var raw = Flags.Switch("--raw", "Do not neatly format logs");
        var noTrunc = Flags.NoTrunc();
        var noResolve = Flags.Switch("--no-resolve", "Do not map IDs to Names in output");
        var noTaskIds = Flags.Switch("--no-task-ids", "Do not include task IDs in output");
        var name = Flags.One("SERVICE|TASK");
        return new Command("logs", "Fetch the logs of a service or task").Does(
            shell, [.. flags.All, raw, noTrunc, noResolve, noTaskIds, name], async (call, stop) =>
        {
            var (resource, id, tty) = await FindAsync(call, call.Get(name), stop);
            using var response = await call.Client.OpenAsync(HttpMethod.Get, flags.Path(call, $"/{resource}/{id}/logs", details: !call.Get(raw)), null, stop);
            await using var stream = await response.Content.ReadAsStreamAsync(stop);
            if (tty)
            {
                await stream.CopyToAsync(shell.RawOut, stop);
                return 0;
            }
            var names = new LogNames(call, call.Get(noResolve), call.Get(noTrunc), call.Get(noTaskIds));
            await LogFrames.CopyAsync(stream, async (kind, text) =>
            {
                var to = kind == 2 ? shell.RawError : shell.RawOut;
                await to.WriteAsync(call.Get(raw) ? text : await names.PrefixAsync(text, flags.Timestamps(call), stop), stop);
            }, stop);
            return 0;
        });
    }

    private static async Task<(string Resource, string Id, bool Tty)> FindAsync(Invocation call, string name, CancellationToken stop)
    {
        try
        {
            var service = await call.ServiceAsync(name, stop);
            return ("services", service.Id.Value, service.Spec.TaskTemplate.ContainerSpec?.Tty ?? false);
        }
        catch (EngineException e) when (e.Status == 404)
        {
            try
            {
                var task = await call.Client.GetAsync<ServiceTask>($"/tasks/{EngineClient.Name(name)}", stop);
                return ("tasks", task.Id.Value, task.Spec.ContainerSpec?.Tty ?? false);
            }
            catch (EngineException inner) when (inner.Status == 404)
            {
                throw new EngineException(404, $"no such task or service: {name}", []);
            }
        }
    }
}

/// <summary>Turns a line's details into <c>web.1.abcdefghijkl@host    | </c>, asking for each task and node once.</summary>
internal sealed class LogNames(Invocation call, bool noResolve, bool noTrunc, bool noTaskIds)
{
    private const string Prefix = "com.docker.swarm.";
    private readonly Dictionary<string, string> _known = new(StringComparer.Ordinal);

    internal async Task<ReadOnlyMemory<byte>> PrefixAsync(ReadOnlyMemory<byte> line, bool timestamps, CancellationToken stop)
    {
        // "[TIMESTAMP ]k=v,k=v MESSAGE", as the daemon writes with details=1.
        var text = Encoding.UTF8.GetString(line.Span);
        var parts = text.Split(' ', timestamps ? 3 : 2);
        var details = parts.Length > 1 ? parts[^2] : "";
        if (!details.Contains(Prefix + "task.id", StringComparison.Ordinal))
            return line;
        if (!_known.TryGetValue(details, out var prefix))
            _known[details] = prefix = await NameAsync(details, stop);
        var time = timestamps ? parts[0] + " " : "";
        return Encoding.UTF8.GetBytes($"{time}{prefix}    | {parts[^1]}");
    }

    private async Task<string> NameAsync(string details, CancellationToken stop)
    {
        var pairs = details.Split(',').Select(p => p.Split('=', 2)).Where(p => p.Length == 2)
            .ToDictionary(p => p[0], p => Uri.UnescapeDataString(p[1]), StringComparer.Ordinal);
        var (taskId, nodeId, serviceId) = (pairs.GetValueOrDefault(Prefix + "task.id", ""), pairs.GetValueOrDefault(Prefix + "node.id", ""), pairs.GetValueOrDefault(Prefix + "service.id", ""));
        var shortId = Texts.Id(taskId, noTrunc);
        if (noResolve)
            return $"{serviceId}.{shortId}@{nodeId}";
        try
        {
            var task = await call.Client.GetAsync<ServiceTask>($"/tasks/{taskId}", stop);
            var node = await call.Client.GetAsync<Node>($"/nodes/{nodeId}", stop);
            var service = await call.ServiceAsync(serviceId, stop);
            return $"{service.Spec.Name}.{TaskPlace.Of(task)}{(noTaskIds ? "" : "." + shortId)}@{node.Description?.Hostname ?? nodeId}";
        }
        catch (EngineException e) when (e.Status == 404)
        {
            // The task's history may be gone while its log is still read.
            return $"{serviceId}.{shortId}@{nodeId}";
        }
    }
}
