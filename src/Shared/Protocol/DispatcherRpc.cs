using System.Runtime.CompilerServices;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Rpc;

namespace Orchestrator.Shared.Protocol;

/// <summary>The dispatcher's service on the wire: both ends.</summary>
public static class DispatcherRpc
{
    /// <summary>The trailer in which a dispatcher that does not lead names the one that does: <c>host:port</c>.</summary>
    public const string LeaderTrailer = "orch-leader";

    private const string Service = "orch.Dispatcher";

    private static readonly RpcMethod<SessionRequest, Assignments> Session = new(
        RpcKind.ServerStreaming, Service, "Session", Codec<SessionRequest>(), Codec<Assignments>()) { MaxMessageBytes = 64 << 20 };

    private static readonly RpcMethod<HeartbeatRequest, HeartbeatReply> Heartbeat = new(
        RpcKind.Unary, Service, "Heartbeat", Codec<HeartbeatRequest>(), Codec<HeartbeatReply>());

    private static readonly RpcMethod<TaskStatusReport, TaskStatusReply> Report = new(
        RpcKind.Unary, Service, "Report", Codec<TaskStatusReport>(), Codec<TaskStatusReply>()) { MaxMessageBytes = 64 << 20 };

    /// <summary>Answers calls by whichever dispatcher there is at the moment; none means this node is no manager. Every node speaks for itself alone.</summary>
    public static void Map(RpcServer server, Func<IDispatcher?> current) => server
        .MapServerStreaming(Session, RpcAccess.Member, (request, call) => Require(current, request.NodeId, call).SessionAsync(request, call.Stop))
        .MapUnary(Heartbeat, RpcAccess.Member, (request, call) => Require(current, request.NodeId, call).HeartbeatAsync(request, call.Stop))
        .MapUnary(Report, RpcAccess.Member, (request, call) => Require(current, request.NodeId, call).ReportAsync(request, call.Stop));

    /// <summary>The caller's end.</summary>
    public static IDispatcher Client(RpcChannel channel) => new Caller(channel);

    private static JsonCodec<T> Codec<T>() => new(ModelJson.Of<T>());

    private static IDispatcher Require(Func<IDispatcher?> current, NodeId node, RpcServerCall call)
    {
        if (call.Peer is not { } peer || peer.NodeId != node)
            throw new RpcException(RpcStatus.PermissionDenied, $"node {call.Peer?.NodeId} speaks for itself alone, not for node {node}");
        return current() ?? throw new RpcException(RpcStatus.Unavailable, "this node is no manager");
    }

    private sealed class Caller(RpcChannel channel) : IDispatcher
    {
        private static readonly RpcCallOptions Short = new() { Timeout = TimeSpan.FromSeconds(30) };

        /// <summary>A manager that does not answer so small a call in this time is as good as gone: the agent looks for another.</summary>
        private static readonly RpcCallOptions Beat = new() { Timeout = TimeSpan.FromSeconds(2) };

        public async IAsyncEnumerable<Assignments> SessionAsync(SessionRequest request, [EnumeratorCancellation] CancellationToken stop)
        {
            await foreach (var assignments in channel.ServerStreamAsync(Session, request, stop: stop))
                yield return assignments;
        }

        public Task<HeartbeatReply> HeartbeatAsync(HeartbeatRequest request, CancellationToken stop) =>
            channel.CallAsync(Heartbeat, request, Beat, stop);

        public Task<TaskStatusReply> ReportAsync(TaskStatusReport report, CancellationToken stop) =>
            channel.CallAsync(Report, report, Short, stop);
    }
}
