using Orchestrator.Shared.Model;
using Orchestrator.Shared.Rpc;
using Orchestrator.Shared.Security;

namespace Orchestrator.Shared.Protocol;

/// <summary>A manager's CA, as the others see it. Answers are refused by <see cref="RpcException"/> with a sentence.</summary>
public interface ICertificates
{
    Task<RootReply> RootAsync(CancellationToken stop);

    /// <summary>By a token; the node is a member of the cluster when this completes.</summary>
    Task<IssueReply> IssueAsync(IssueRequest request, CancellationToken stop);

    /// <summary>By the certificate in use; the role is what the state says now.</summary>
    Task<IssueReply> RenewAsync(RenewRequest request, PeerIdentity peer, CancellationToken stop);

    Task<ConfirmReply> ConfirmAsync(ConfirmRequest request, PeerIdentity peer, CancellationToken stop);
}

/// <summary>The CA's service on the wire: both ends.</summary>
public static class CertificatesRpc
{
    private const string Service = "orch.Certificates";

    private static readonly RpcMethod<RootRequest, RootReply> Root = Method<RootRequest, RootReply>("Root");
    private static readonly RpcMethod<IssueRequest, IssueReply> Issue = Method<IssueRequest, IssueReply>("Issue");
    private static readonly RpcMethod<RenewRequest, IssueReply> Renew = Method<RenewRequest, IssueReply>("Renew");
    private static readonly RpcMethod<ConfirmRequest, ConfirmReply> Confirm = Method<ConfirmRequest, ConfirmReply>("Confirm");

    /// <summary>Answers by whichever CA there is at the moment; none means this node is no manager.</summary>
    public static void Map(RpcServer server, Func<ICertificates?> current) => server
        .MapUnary(Root, RpcAccess.Anyone, (_, call) => Require(current).RootAsync(call.Stop))
        .MapUnary(Issue, RpcAccess.Anyone, (request, call) => Require(current).IssueAsync(request, call.Stop))
        .MapUnary(Renew, RpcAccess.Member, (request, call) => Require(current).RenewAsync(request, call.Peer!, call.Stop))
        .MapUnary(Confirm, RpcAccess.Member, (request, call) => Require(current).ConfirmAsync(request, call.Peer!, call.Stop));

    /// <summary>The caller's end. The peer of a call is whom its connection proves, so the argument is not sent.</summary>
    public static ICertificates Client(RpcChannel channel) => new Caller(channel);

    private static RpcMethod<TRequest, TReply> Method<TRequest, TReply>(string name) => new(
        RpcKind.Unary, Service, name, new JsonCodec<TRequest>(ModelJson.Of<TRequest>()), new JsonCodec<TReply>(ModelJson.Of<TReply>()))
    {
        MaxMessageBytes = 1 << 20,
    };

    private static ICertificates Require(Func<ICertificates?> current) =>
        current() ?? throw new RpcException(RpcStatus.Unavailable, "this node is no manager, and managers alone issue certificates");

    private sealed class Caller(RpcChannel channel) : ICertificates
    {
        private static readonly RpcCallOptions Short = new() { Timeout = TimeSpan.FromSeconds(30) };

        public Task<RootReply> RootAsync(CancellationToken stop) => channel.CallAsync(Root, new RootRequest(), Short, stop);

        public Task<IssueReply> IssueAsync(IssueRequest request, CancellationToken stop) => channel.CallAsync(Issue, request, Short, stop);

        public Task<IssueReply> RenewAsync(RenewRequest request, PeerIdentity peer, CancellationToken stop) => channel.CallAsync(Renew, request, Short, stop);

        public Task<ConfirmReply> ConfirmAsync(ConfirmRequest request, PeerIdentity peer, CancellationToken stop) => channel.CallAsync(Confirm, request, Short, stop);
    }
}
