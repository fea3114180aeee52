using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Rpc;
using Orchestrator.Shared.Security;

namespace Orchestrator.Tests.Integration.Rpc;

/// <summary>Who may call what over mutual TLS, and what the others are told.</summary>
public sealed class AccessTests
{
    private static readonly RpcMethod<Note, Note> Public = Method("Public");
    private static readonly RpcMethod<Note, Note> Members = Method("Members");
    private static readonly RpcMethod<Note, Note> Managers = Method("Managers");
    private static readonly RpcMethod<Note, Note> Stream = Method("Stream") with { Kind = RpcKind.Duplex };

    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();
    private readonly CertificateAuthority authority = CertificateAuthority.Create(Now.AddDays(-200));
    private readonly HashSet<string> removed = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Members_call_as_who_their_certificate_says_they_are()
    {
        await using var host = await StartAsync();
        using var manager = host.Channel(Node("m2", NodeRole.Manager));
        using var worker = host.Channel(Node("w1", NodeRole.Worker));

        Assert.Equal("m2 Manager cluster", await CallAsync(manager, Managers));
        Assert.Equal("w1 Worker cluster", await CallAsync(worker, Members));
        Assert.Equal("w1 Worker cluster", await CallAsync(worker, Public));
    }

    [Fact]
    public async Task Without_a_certificate_only_what_is_for_anyone_is_answered()
    {
        await using var host = await StartAsync();
        using var stranger = new RpcChannel(new() { Connect = MutualTls.Unverified(host.Transport) });

        Assert.Equal("nobody", await CallAsync(stranger, Public));
        await RefusedAsync(stranger, Members, RpcStatus.Unauthenticated, "/test.Access/Members is for nodes of this cluster, and the caller has no certificate: join the cluster first");
        await RefusedAsync(stranger, Managers, RpcStatus.Unauthenticated, "the caller has no certificate");
    }

    [Fact]
    public async Task A_worker_does_not_call_what_is_for_managers()
    {
        await using var host = await StartAsync();
        using var worker = host.Channel(Node("w1", NodeRole.Worker));

        await RefusedAsync(worker, Managers, RpcStatus.PermissionDenied, "/test.Access/Managers is for managers, and node w1 is a worker by its certificate");
    }

    [Fact]
    public async Task A_certificate_of_another_cluster_is_told_so_in_every_call()
    {
        await using var host = await StartAsync();
        var foreign = CertificateAuthority.Create(Now.AddDays(-200));
        using var other = host.Careless(Credentials(foreign, "x1", NodeRole.Manager, "elsewhere"));

        foreach (var method in new[] { Public, Members, Managers })
            await RefusedAsync(other, method, RpcStatus.Unauthenticated, "the certificate of node x1 belongs to cluster elsewhere, and this is cluster cluster");
    }

    [Fact]
    public async Task A_certificate_of_a_forged_CA_is_refused_by_its_key()
    {
        await using var host = await StartAsync();
        var forged = CertificateAuthority.Create(Now.AddDays(-200));
        using var forger = host.Careless(Credentials(forged, "m1", NodeRole.Manager, "cluster"));

        await RefusedAsync(forger, Managers, RpcStatus.Unauthenticated, "the certificate of node m1 names this cluster, but no CA that it trusts has issued it");
    }

    [Fact]
    public async Task A_forged_manager_is_refused_by_who_calls_it()
    {
        var forged = CertificateAuthority.Create(Now.AddDays(-200));
        await using var host = await StartAsync(Credentials(forged, "m1", NodeRole.Manager, "cluster"));
        using var worker = host.Channel(Node("w1", NodeRole.Worker));

        await RefusedAsync(worker, Public, RpcStatus.Unauthenticated, "whoever answers there is refused: the certificate of node m1 names this cluster, but no CA");
    }

    [Fact]
    public async Task A_worker_is_not_taken_for_a_manager_and_one_node_not_for_another()
    {
        await using var host = await StartAsync(Node("w9", NodeRole.Worker));
        using var asManager = host.Channel(Node("w1", NodeRole.Worker));
        using var asOther = host.Channel(Node("w1", NodeRole.Worker), new PeerExpectation(null, new NodeId("w8")));
        using var asItself = host.Channel(Node("w1", NodeRole.Worker), new PeerExpectation(null, new NodeId("w9")));

        await RefusedAsync(asManager, Public, RpcStatus.Unauthenticated, "node w9 answers there, which is a worker and no manager");
        await RefusedAsync(asOther, Public, RpcStatus.Unauthenticated, "node w9 answers there, and node w8 was expected");
        Assert.Equal("w1 Worker cluster", await CallAsync(asItself, Public));
    }

    [Fact]
    public async Task An_expired_certificate_is_told_when_it_expired()
    {
        await using var host = await StartAsync();
        using var late = host.Channel(Node("w1", NodeRole.Worker, Now.AddDays(-100)));

        await RefusedAsync(late, Members, RpcStatus.Unauthenticated, $"the certificate of node w1 expired at {Now.AddDays(-10).UtcDateTime:u}");
    }

    [Fact]
    public async Task A_removed_node_is_refused_and_its_open_stream_ends()
    {
        await using var host = await StartAsync();
        using var worker = host.Channel(Node("w1", NodeRole.Worker));
        var turn = new SemaphoreSlim(0);
        var answers = worker.DuplexAsync(Stream, Notes(turn), stop: Stop).GetAsyncEnumerator(Stop);
        turn.Release();
        Assert.True(await answers.MoveNextAsync());

        removed.Add("w1");
        turn.Release();

        var ended = await Assert.ThrowsAsync<RpcException>(async () => await answers.MoveNextAsync());
        Assert.Equal((RpcStatus.PermissionDenied, "node w1 was removed"), (ended.Status, ended.Detail));
        await answers.DisposeAsync();
        await RefusedAsync(worker, Members, RpcStatus.PermissionDenied, "node w1 was removed");
        Assert.Equal("w1 Worker cluster", await CallAsync(worker, Public));
    }

    [Fact]
    public async Task Only_TLS_1_3_is_spoken()
    {
        await using var host = await StartAsync();
        using var tls = new SslStream(await host.Transport(Stop));

        await Assert.ThrowsAnyAsync<Exception>(() => tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "",
                EnabledSslProtocols = SslProtocols.Tls12,
                RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is not null,
            },
            Stop));
    }

    [Fact]
    public async Task During_a_rotation_nodes_of_both_roots_call_each_other()
    {
        var next = CertificateAuthority.Create(Now);
        var cross = authority.CrossSign(next.Root, Now).ExportCertificatePem() + "\n";
        var both = next.CertificatePem + "\n" + authority.CertificatePem + "\n";
        var renewed = Credentials(next, "m1", NodeRole.Manager, "cluster", rootsPem: both, between: cross);
        await using var host = await StartAsync(renewed);

        using var former = host.Channel(Node("w1", NodeRole.Worker)); // trusts the former root alone
        using var after = host.Channel(Credentials(next, "w2", NodeRole.Worker, "cluster", rootsPem: both, between: cross));
        Assert.Equal("w1 Worker cluster", await CallAsync(former, Members));
        Assert.Equal("w2 Worker cluster", await CallAsync(after, Members));

        await using var late = await StartAsync(); // a manager that has not heard of the rotation yet
        using var early = late.Channel(Credentials(next, "w3", NodeRole.Worker, "cluster", rootsPem: both, between: cross));
        Assert.Equal("w3 Worker cluster", await CallAsync(early, Members));
    }

    private static RpcMethod<Note, Note> Method(string name) =>
        new(RpcKind.Unary, "test.Access", name, new JsonCodec<Note>(NoteJson.Default.Note), new JsonCodec<Note>(NoteJson.Default.Note));

    private static async IAsyncEnumerable<Note> Notes(SemaphoreSlim turn, [EnumeratorCancellation] CancellationToken stop = default)
    {
        for (var i = 0; i < 2; i++)
        {
            await turn.WaitAsync(stop);
            yield return new("", i);
        }

        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
    }

    private static async Task<string> CallAsync(RpcChannel channel, RpcMethod<Note, Note> method) =>
        (await channel.CallAsync(method, new Note("", 0), stop: Stop)).Text;

    private static async Task RefusedAsync(RpcChannel channel, RpcMethod<Note, Note> method, RpcStatus status, string sentence)
    {
        var refusal = await Assert.ThrowsAsync<RpcException>(() => CallAsync(channel, method));
        Assert.Contains(sentence, refusal.Detail, StringComparison.Ordinal);
        Assert.Equal(status, refusal.Status);
    }

    private static NodeCredentials Credentials(
        CertificateAuthority issuer, string name, NodeRole role, string cluster, DateTimeOffset? at = null, string? rootsPem = null, string between = "")
    {
        using var request = SigningRequest.Create();
        using var certificate = issuer.Issue(request.Der, new(name), role, cluster, at ?? Now, TimeSpan.FromDays(90));
        return NodeCredentials.Take(certificate.ExportCertificatePem() + "\n" + between, rootsPem ?? issuer.CertificatePem, request.Key, at ?? Now);
    }

    private static string Tell(PeerIdentity? peer) => peer is null ? "nobody" : $"{peer.NodeId} {peer.Role} {peer.ClusterId}";

    private NodeCredentials Node(string name, NodeRole role, DateTimeOffset? at = null) => Credentials(authority, name, role, "cluster", at);

    private Task<SecureHost> StartAsync(NodeCredentials? own = null)
    {
        var server = new RpcServer(TimeProvider.System, NullLogger.Instance)
        {
            Gate = (peer, _) => removed.Contains(peer.NodeId.Value) ? $"node {peer.NodeId} was removed" : null,
        };
        server
            .MapUnary(Public, RpcAccess.Anyone, (_, call) => Task.FromResult(new Note(Tell(call.Peer), 0)))
            .MapUnary(Members, RpcAccess.Member, (_, call) => Task.FromResult(new Note(Tell(call.Peer), 0)))
            .MapUnary(Managers, RpcAccess.Manager, (_, call) => Task.FromResult(new Note(Tell(call.Peer), 0)))
            .MapDuplex(Stream, RpcAccess.Member, (notes, _) => notes);
        return SecureHost.StartAsync(new CredentialBox(own ?? Node("m1", NodeRole.Manager)), server);
    }
}
