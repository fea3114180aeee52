using System.Net;
using Microsoft.AspNetCore.Http;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Daemon.Reach;

/// <summary>An answer of a node's engine, whole.</summary>
internal readonly record struct NodeAnswer(int Status, string ContentType, byte[] Body);

/// <summary>Short questions to other nodes' engines: asked once, answered whole, the connection ends with them.</summary>
internal sealed class NodeEngine(NodeLinks links)
{
    /// <exception cref="NodeUnreachableException">The node does not answer, or breaks off.</exception>
    internal async Task<NodeAnswer> AskAsync(ClusterState state, NodeId node, HttpMethod method, string path, byte[]? body, CancellationToken stop)
    {
        await using var connection = await links.EngineAsync(state, node, stop);
        using var http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            ConnectCallback = (_, _) => ValueTask.FromResult<Stream>(connection),
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ActivityHeadersPropagator = null,
        });
        using var request = new HttpRequestMessage(method, new Uri("http://orch" + path)) { Version = HttpVersion.Version11, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = new("application/json");
        }

        try
        {
            using var answer = await http.SendAsync(request, stop);
            return new((int)answer.StatusCode, answer.Content.Headers.ContentType?.ToString() ?? "", await answer.Content.ReadAsByteArrayAsync(stop));
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException)
        {
            throw new NodeUnreachableException($"{NodeLinks.Words(state, node)} broke off: {failure.GetBaseException().Message}", failure);
        }
    }

    /// <summary>The node that has the exec, by asking all that run tasks; null: none that answers in time.</summary>
    internal async Task<NodeId?> FindExecAsync(ClusterState state, NodeId self, string exec, TimeSpan patience, TimeProvider time, CancellationToken stop)
    {
        var nodes = state.Tasks.Values.Where(t => t.Status.ContainerStatus is not null).Select(t => t.NodeId).Where(n => n != self && state.Nodes.ContainsKey(n)).Distinct().ToList();
        using var late = new CancellationTokenSource(patience, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(late.Token, stop);
        var asked = nodes.ConvertAll(node => HasAsync(state, node, exec, both.Token));
        NodeId? found = null;
        await foreach (var answer in Task.WhenEach(asked))
        {
            if (found is null && (found = await answer) is not null)
                await both.CancelAsync();
        }

        stop.ThrowIfCancellationRequested();
        return found;
    }

    private async Task<NodeId?> HasAsync(ClusterState state, NodeId node, string exec, CancellationToken stop)
    {
        try
        {
            return (await AskAsync(state, node, HttpMethod.Get, $"/exec/{exec}/json", body: null, stop)).Status == StatusCodes.Status200OK ? node : null;
        }
        catch (Exception silent) when (silent is NodeUnreachableException or OperationCanceledException)
        {
            return null; // what it has is out of reach anyway
        }
    }
}
