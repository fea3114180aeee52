using Orchestrator.Shared.Model;
using Orchestrator.Shared.Rpc;

namespace Orchestrator.Shared.Protocol;

/// <summary>The leader's service to other managers, on the wire: both ends.</summary>
public static class ControlRpc
{
    /// <summary>The trailer by which a manager that does not lead names who does: <c>host:port</c>.</summary>
    public const string LeaderTrailer = "orch-leader";

    private const string Service = "orch.Control";

    internal static readonly RpcMethod<ProposeRequest, ProposeReply> Propose = new(
        RpcKind.Unary, Service, "Propose", Codec<ProposeRequest>(), Codec<ProposeReply>()) { MaxMessageBytes = 64 << 20 };

    private static readonly RpcMethod<AdmitRequest, AdmitReply> Admit = new(
        RpcKind.Unary, Service, "Admit", Codec<AdmitRequest>(), Codec<AdmitReply>());

    private static readonly RpcMethod<LeaveRequest, LeaveReply> Leave = new(
        RpcKind.Unary, Service, "Leave", Codec<LeaveRequest>(), Codec<LeaveReply>());

    /// <summary>Answers calls by whichever control there is for the caller at the moment; none means this node is no manager.</summary>
    public static void Map(RpcServer server, Func<RpcServerCall, IControl?> current) => server
        .MapUnary(Propose, RpcAccess.Manager, (request, call) => Require(current, call).ProposeAsync(request, call.Stop))
        .MapUnary(Admit, RpcAccess.Manager, (request, call) => Require(current, call).AdmitAsync(request, call.Stop))
        .MapUnary(Leave, RpcAccess.Member, (request, call) => Require(current, call).LeaveAsync(request, call.Stop));

    /// <summary>The caller's end.</summary>
    public static IControl Client(RpcChannel channel) => new Caller(channel);

    private static JsonCodec<T> Codec<T>() => new(ModelJson.Of<T>());

    private static IControl Require(Func<RpcServerCall, IControl?> current, RpcServerCall call) =>
        current(call) ?? throw new RpcException(RpcStatus.Unavailable, "this node is no manager");

    private sealed class Caller(RpcChannel channel) : IControl
    {
        private static readonly RpcCallOptions Short = new() { Timeout = TimeSpan.FromSeconds(30) };

        public Task<ProposeReply> ProposeAsync(ProposeRequest request, CancellationToken stop) => channel.CallAsync(Propose, request, Short, stop);

        public Task<AdmitReply> AdmitAsync(AdmitRequest request, CancellationToken stop) => channel.CallAsync(Admit, request, Short, stop);

        public Task<LeaveReply> LeaveAsync(LeaveRequest request, CancellationToken stop) => channel.CallAsync(Leave, request, Short, stop);
    }
}
