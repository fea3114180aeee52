using System.Globalization;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Orchestrator.Manager.Api;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Shared.Security;
using Orchestrator.Worker.Containers;

namespace Orchestrator.Cli.Daemon.Reach;

/// <summary>
/// Stands before the engine's container and exec routes. What this host has is its own affair and comes first; what is a task's elsewhere is passed to
/// the node that runs it.
/// </summary>
internal sealed class ReachApi(ISwarmNode node, Func<NodeReach?> reach, ContainerHost containers, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan ExecPatience = TimeSpan.FromSeconds(2);

    private readonly ExecBook _execs = new();

    internal void Stand(ApiRouter router)
    {
        foreach (var route in ReachRoutes.Containers)
            router.Around(route.Method, route.Template, local => request => ContainerAsync(request, local, route));
        foreach (var route in ReachRoutes.Execs)
            router.Around(route.Method, route.Template, local => request => ExecAsync(request, local, route));
        foreach (var route in ReachRoutes.Refused)
            router.Around(route.Method, route.Template, local => request => RefuseAsync(request, local));
    }

    private async Task ContainerAsync(ApiRequest request, ApiHandler local, ReachRoute route)
    {
        var reference = request.Argument("id");
        if (IsHere(reference))
        {
            await local(request);
            return;
        }

        if (node.Manager is not { } manager || reach() is not { } way)
        {
            await WithoutManagerAsync(request, local);
            return;
        }

        var naming = route.ShowsTasks ? TaskNaming.NotByTaskId : TaskNaming.Any;
        if (await FindAsync(manager.Cluster, reference, naming, request.Stop) is not { } task)
        {
            if (naming == TaskNaming.NotByTaskId && TaskContainers.TryFindExact(manager.Cluster.Current, reference, TaskNaming.Any) is { } meant)
                throw new ApiException(404, $"No such container: {reference}; it is a task, and its container is {TaskText.Name(meant)}");
            await local(request);
            return;
        }

        var id = task.Status.ContainerStatus!.ContainerId;
        if (task.NodeId == manager.Self)
            await local(request.With("id", id));
        else if (route.MakesExec)
            await MakeExecAsync(request, way, manager.Cluster.Current, task, id);
        else
            await PassAsync(request, route, way, manager.Cluster.Current, task.NodeId, TaskText.Name(task), id);
    }

    private async Task ExecAsync(ApiRequest request, ApiHandler local, ReachRoute route)
    {
        var id = request.Argument("id");
        if (containers.HasExec(id) || node.Manager is not { } manager || reach() is not { } way || id.Length != 64 || !id.All(char.IsAsciiHexDigitLower))
        {
            await local(request);
            return;
        }

        var at = _execs.Find(id) ?? await AskForExecAsync(way, manager, id, request.Stop);
        if (at is { } there)
            await PassAsync(request, route, way, manager.Cluster.Current, there, $"exec {id[..12]}", id);
        else
            await local(request);
    }

    private async Task RefuseAsync(ApiRequest request, ApiHandler local)
    {
        var reference = request.Argument("id");
        if (!IsHere(reference) && node.Manager is { } manager && await FindAsync(manager.Cluster, reference, TaskNaming.Any, request.Stop) is { } task && task.NodeId != manager.Self)
        {
            throw new ApiException(409,
                $"{reference} is the container of task {TaskText.Name(task)} on {NodeLinks.Words(manager.Cluster.Current, task.NodeId)}: whether and how it runs is its service's affair (\"orch service update\", \"orch service scale\")");
        }

        await local(request);
    }

    /// <summary>A worker does not know the cluster's tasks; who asks it for one is told who does.</summary>
    private Task WithoutManagerAsync(ApiRequest request, ApiHandler local) =>
        reach() is not null && TaskContainers.LooksLikeTask(request.Argument("id")) ? throw new ApiException(503, node.Obstacle) : local(request);

    private bool IsHere(string reference)
    {
        try
        {
            return containers.TryFind(reference) is not null;
        }
        catch (InvalidContainerException)
        {
            return true; // several of this host's, as it will say itself
        }
    }

    /// <summary>Null: no node has it.</summary>
    /// <exception cref="ClusterUnavailableException">Nor does one that is known here; without a leader there may be others.</exception>
    private async Task<NodeId?> AskForExecAsync(NodeReach way, RunningManager manager, string id, CancellationToken stop)
    {
        var (state, old) = await NewestAsync(manager.Cluster, stop);
        var found = await way.Engine.FindExecAsync(state, manager.Self, id, ExecPatience, time, stop);
        if (found is { } node)
            _execs.Note(id, node);
        return found is null && old is not null ? throw old : found;
    }

    /// <summary>What never changes its meaning needs no news; a name is looked up in the newest state there is, and works without a leader too.</summary>
    private static async Task<ServiceTask?> FindAsync(ICluster cluster, string reference, TaskNaming naming, CancellationToken stop)
    {
        if (TaskContainers.TryFindExact(cluster.Current, reference, naming) is { } exact)
            return exact;
        if (!TaskContainers.MayName(reference))
            return TaskContainers.TryFind(cluster.Current, reference, naming);
        var (state, old) = await NewestAsync(cluster, stop);
        var found = TaskContainers.TryFind(state, reference, naming);
        return found is null && old is not null && TaskContainers.LooksLikeTask(reference) ? throw old : found;
    }

    /// <summary>The state, and why it may not be the newest.</summary>
    private static async Task<(ClusterState State, ClusterUnavailableException? Old)> NewestAsync(ICluster cluster, CancellationToken stop)
    {
        try
        {
            return (await cluster.FreshAsync(stop), null);
        }
        catch (ClusterUnavailableException leaderless)
        {
            return (cluster.Current, leaderless);
        }
    }

    /// <summary>The answer is read here on its way, for the exec's later calls.</summary>
    private async Task MakeExecAsync(ApiRequest request, NodeReach way, ClusterState state, ServiceTask task, string container)
    {
        using var body = new MemoryStream();
        await request.Http.Request.Body.CopyToAsync(body, request.Stop);
        NodeAnswer answer;
        try
        {
            answer = await way.Engine.AskAsync(state, task.NodeId, HttpMethod.Post, Path(request, $"/containers/{container}/exec"), body.ToArray(), request.Stop);
        }
        catch (NodeUnreachableException silent)
        {
            throw Unreachable(silent, TaskText.Name(task));
        }

        if (answer.Status == StatusCodes.Status201Created)
            _execs.Note(ModelJson.Read<ContainerCreateReply>(answer.Body).Id, task.NodeId);
        var response = request.Http.Response;
        response.StatusCode = answer.Status;
        response.ContentType = answer.ContentType;
        response.ContentLength = answer.Body.Length;
        await response.Body.WriteAsync(answer.Body, request.Stop);
    }

    /// <summary>Everything that can be refused is refused before the connection is taken.</summary>
    private async Task PassAsync(ApiRequest request, ReachRoute route, NodeReach way, ClusterState state, NodeId to, string what, string id)
    {
        var hijack = request.Http.Features.Get<IHijackFeature>() ?? throw new ApiException(501, $"this socket's connections cannot be taken over, which {request.Http.Request.Path} needs");
        await using var connection = await ConnectAsync(way, state, to, what, request.Stop);
        var head = RequestHead.Of(request.Http.Request, Path(request, route.PathOf(id)));
        var client = hijack.Take();
        try
        {
            await connection.WriteAsync(head, request.Stop);
        }
        catch (IOException)
        {
            // The node left again: there will be no answer, which is said below.
        }

        var splice = new Splice(client, connection, route.Hijacks ? ClientEnd.EndsInput : ClientEnd.Leaves);
        var answered = await splice.RunAsync(way.Stopping);
        if (splice.Broke is { } why)
            log.ReachBroke(request.Http.Request.Method, request.Http.Request.Path, what, to.Value, why);
        if (!answered)
            await client.Output.WriteAsync(NoAnswer($"{NodeLinks.Words(state, to)} broke off: {what} is not to be reached there now"), CancellationToken.None);
    }

    private static async Task<HalfCloseTlsStream> ConnectAsync(NodeReach way, ClusterState state, NodeId to, string what, CancellationToken stop)
    {
        try
        {
            return await way.Links.EngineAsync(state, to, stop);
        }
        catch (NodeUnreachableException silent)
        {
            throw Unreachable(silent, what);
        }
    }

    private static string Path(ApiRequest request, string path) => $"/v{request.Version}{path}";

    private static ApiException Unreachable(NodeUnreachableException silent, string what) => new(503, $"{silent.Message}: {what} is there", inner: silent);

    private static byte[] NoAnswer(string sentence)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(new ErrorReply { Message = sentence }, ModelJson.Of<ErrorReply>());
        var head = string.Create(CultureInfo.InvariantCulture, $"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n");
        return [.. Encoding.ASCII.GetBytes(head), .. body];
    }
}
