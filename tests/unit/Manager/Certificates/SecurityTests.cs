using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Manager.Api;
using Orchestrator.Manager.Certificates;
using Orchestrator.Manager.State;
using Orchestrator.Manager.State.Apply;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Rpc;
using Orchestrator.Shared.Security;

namespace Orchestrator.Tests.Unit.Manager.Certificates;

public sealed class SecurityTests
{
    private static readonly DateTimeOffset Now = new(2031, 3, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly Played cluster = new();
    private readonly CertificateService service;

    public SecurityTests()
    {
        service = new(cluster, new StandingClock(), NullLogger.Instance);
        cluster.Do(new InitSwarm(new() { Id = "cluster" }, new() { Id = new("first"), Spec = new() { Role = NodeRole.Manager }, ManagerStatus = new() { Addr = "a:1" } })
        {
            At = Now,
            Security = ClusterSecurity.Begin(CertificateAuthority.Create(Now), Bytes(1)),
        });
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private ClusterSecurity Security => cluster.Current.Security!;

    [Theory]
    [InlineData(NodeRole.Worker)]
    [InlineData(NodeRole.Manager)]
    public async Task A_token_gives_its_role_and_asking_twice_makes_one_node(NodeRole role)
    {
        using var request = SigningRequest.Create();
        var asked = new Orchestrator.Shared.Protocol.IssueRequest { Csr = request.Der, Token = Security.Token(role).Reveal(), Address = "10.0.0.2:2377" };

        var first = await service.IssueAsync(asked, Stop);
        var again = await service.IssueAsync(asked, Stop);

        Assert.Equal((role, "cluster"), (first.Role, first.ClusterId));
        Assert.Equal(first.NodeId, again.NodeId);
        Assert.Equal(2, cluster.Current.Nodes.Count);
        var node = cluster.Current.Nodes[first.NodeId];
        Assert.Equal((role, "10.0.0.2", role == NodeRole.Manager ? "10.0.0.2:2377" : null), (node.Spec.Role, node.Status.Addr, node.ManagerStatus?.Addr));
        Assert.Equal(role, NodeCredentials.Take(first.CertificatePem, first.RootsPem, request.Key, Now).Role);
    }

    [Fact]
    public async Task A_token_that_was_rotated_is_refused_and_the_other_roles_still_works()
    {
        var before = Security.Token(NodeRole.Worker).Reveal();
        var spec = cluster.Current.Swarm!.Spec;
        cluster.Do(SecurityPlan.Plan(Security, spec, spec, new(WorkerToken: true, ManagerToken: false, UnlockKey: false), Now, n => Bytes(9)[..n])!);

        var refused = await Assert.ThrowsAsync<RpcException>(() => IssueAsync(before));
        Assert.Equal(RpcStatus.Unauthenticated, refused.Status);
        Assert.StartsWith("the join token is not valid: it was rotated, or is another cluster's", refused.Detail, StringComparison.Ordinal);
        Assert.Equal(NodeRole.Worker, (await IssueAsync(Security.Token(NodeRole.Worker).Reveal())).Role);
        Assert.Equal(NodeRole.Manager, (await IssueAsync(Security.Token(NodeRole.Manager).Reveal())).Role);
        Assert.Single(cluster.Current.Nodes.Values, n => n.Spec.Role == NodeRole.Worker);
    }

    [Fact]
    public async Task Another_clusters_token_with_the_right_secret_is_refused()
    {
        var foreign = new JoinToken(JoinToken.Digest(CertificateAuthority.Create(Now).Root), Security.WorkerSecret).Reveal();

        Assert.Equal(RpcStatus.Unauthenticated, (await Assert.ThrowsAsync<RpcException>(() => IssueAsync(foreign))).Status);
        Assert.Equal(RpcStatus.InvalidArgument, (await Assert.ThrowsAsync<RpcException>(() => IssueAsync("nonsense"))).Status);
    }

    [Fact]
    public async Task A_renewal_gives_the_role_in_force_and_nothing_to_who_was_removed()
    {
        var joined = await IssueAsync(Security.Token(NodeRole.Worker).Reveal());
        var peer = new PeerIdentity(joined.NodeId, NodeRole.Worker, "cluster");
        var node = cluster.Current.Nodes[joined.NodeId];
        using var request = SigningRequest.Create();

        cluster.Do(new UpdateNode(node.Id, node.Version.Index, node.Spec with { Role = NodeRole.Manager }) { At = Now });
        Assert.Equal(NodeRole.Worker, (await service.RenewAsync(new() { Csr = request.Der }, peer, Stop)).Role); // asked for, not in force
        cluster.Do(new SetManager(node.Id, "b:1") { At = Now });
        Assert.Equal(NodeRole.Manager, (await service.RenewAsync(new() { Csr = request.Der }, peer, Stop)).Role);

        node = cluster.Current.Nodes[joined.NodeId];
        cluster.Do(new UpdateNode(node.Id, node.Version.Index, node.Spec with { Role = NodeRole.Worker }) { At = Now });
        cluster.Do(new SetManager(node.Id, null) { At = Now });
        cluster.Do(new RemoveNode(node.Id, Force: true) { At = Now });
        var refused = await Assert.ThrowsAsync<RpcException>(() => service.RenewAsync(new() { Csr = request.Der }, peer, Stop));
        Assert.Equal((RpcStatus.PermissionDenied, PeerGate.Removed(node.Id)), (refused.Status, refused.Detail));
    }

    [Fact]
    public async Task A_demoted_nodes_former_certificate_is_a_managers_no_more_and_a_removed_ones_is_nobodys()
    {
        var joined = await IssueAsync(Security.Token(NodeRole.Manager).Reveal());
        var before = new PeerIdentity(joined.NodeId, NodeRole.Manager, "cluster") { Issued = Now };
        Assert.Null(PeerGate.Refuse(cluster.Current, before, RpcAccess.Manager));

        var node = cluster.Current.Nodes[joined.NodeId];
        cluster.Do(new UpdateNode(node.Id, node.Version.Index, node.Spec with { Role = NodeRole.Worker }) { At = Now });
        cluster.Do(new SetManager(node.Id, null) { At = Now.AddMinutes(1) });
        Assert.Contains("it was demoted", PeerGate.Refuse(cluster.Current, before, RpcAccess.Manager), StringComparison.Ordinal);
        Assert.Null(PeerGate.Refuse(cluster.Current, before, RpcAccess.Member));
        Assert.Null(PeerGate.Refuse(cluster.Current, before with { Issued = Now.AddMinutes(2) }, RpcAccess.Manager)); // promoted again

        cluster.Do(new RemoveNode(node.Id, Force: true) { At = Now.AddMinutes(3) });
        Assert.Equal(PeerGate.Removed(node.Id), PeerGate.Refuse(cluster.Current, before with { Issued = Now.AddMinutes(2) }, RpcAccess.Member));

        // One that this manager has not heard of yet may be its next leader.
        Assert.Null(PeerGate.Refuse(cluster.Current, before with { NodeId = new("unheard") }, RpcAccess.Manager));
    }

    [Fact]
    public async Task A_node_that_was_promoted_again_gets_a_certificate_that_counts_though_its_demotion_was_timed_by_a_faster_clock()
    {
        var joined = await IssueAsync(Security.Token(NodeRole.Manager).Reveal());
        var node = cluster.Current.Nodes[joined.NodeId];
        cluster.Do(new UpdateNode(node.Id, node.Version.Index, node.Spec with { Role = NodeRole.Worker }) { At = Now });
        cluster.Do(new SetManager(node.Id, null) { At = Now.AddMinutes(1) });
        node = cluster.Current.Nodes[joined.NodeId];
        cluster.Do(new UpdateNode(node.Id, node.Version.Index, node.Spec with { Role = NodeRole.Manager }) { At = Now.AddMinutes(1) });
        cluster.Do(new SetManager(node.Id, "b:1") { At = Now.AddMinutes(1) });

        using var request = SigningRequest.Create();
        var renewed = await service.RenewAsync(new() { Csr = request.Der }, new(node.Id, NodeRole.Worker, "cluster"), Stop);
        var identity = NodeCredentials.Take(renewed.CertificatePem, renewed.RootsPem, request.Key, Now).Self;

        Assert.Equal(NodeRole.Manager, identity.Role);
        Assert.Null(PeerGate.Refuse(cluster.Current, identity, RpcAccess.Manager));
    }

    [Fact]
    public async Task Secrets_and_revocations_survive_a_snapshot()
    {
        var joined = await IssueAsync(Security.Token(NodeRole.Worker).Reveal());
        cluster.Do(new RemoveNode(joined.NodeId, Force: true) { At = Now });
        using var stream = new MemoryStream([.. StateSnapshot.Lines(cluster.Current).SelectMany(l => l)]);

        var restored = await StateSnapshot.ReadAsync(stream, Stop);

        Assert.Equal(cluster.Current.Security, restored.Security);
        Assert.Equal(cluster.Current.Revocations.Values, restored.Revocations.Values);
        Assert.Equal(StateSnapshot.Digest(cluster.Current), StateSnapshot.Digest(restored));
    }

    [Fact]
    public void No_text_of_a_command_or_of_the_state_holds_a_secret()
    {
        var rotating = Security with { Rotation = new("next", "next-key", "cross") };
        var texts = new object[] { Security, rotating, new SetSecurity(1, rotating) { At = Now }, new InitSwarm(new() { Id = "x" }, new() { Id = new("n") }) { At = Now, Security = rotating } };

        foreach (var text in texts.Select(t => t.ToString()!))
        {
            foreach (var secret in new[] { Security.RootKeyPem, Security.WorkerSecret, Security.ManagerSecret, "next-key" })
                Assert.DoesNotContain(secret, text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_CA_of_the_operators_own_needs_its_key_and_must_be_a_CA()
    {
        var own = CertificateAuthority.Create(Now);
        var spec = cluster.Current.Swarm!.Spec;
        SetSecurity? Ask(string certificate, string? key) => SecurityPlan.Plan(
            Security, spec, spec with { CaConfig = spec.CaConfig with { SigningCaCert = certificate, SigningCaKey = key } }, new(false, false, false), Now, n => Bytes(5)[..n]);

        Assert.Contains("needs its key", Assert.Throws<ApiException>(() => Ask(own.CertificatePem, null)).Message, StringComparison.Ordinal);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        Assert.Contains("does not belong", Assert.Throws<ApiException>(() => Ask(own.CertificatePem, key.ExportPkcs8PrivateKeyPem())).Message, StringComparison.Ordinal);
        Assert.Null(Ask(Security.RootPem, null)); // a client that sends back what it read

        cluster.Do(Ask(own.CertificatePem, own.KeyPem)!);
        Assert.Equal(CertificateIssuer.Of(own.Root), CertificateIssuer.Of(Security.Authority().Root));
        Assert.Single(RotationPlan.Of(cluster.Current)!.Waiting);
    }

    [Fact]
    public void What_an_update_can_not_have_is_refused_with_a_sentence()
    {
        var spec = new SwarmSpec { CaConfig = new() { NodeCertExpiry = TimeSpan.FromMinutes(59), ExternalCas = [new() { Url = "https://ca" }] } };

        var refusal = Preflight.Check(cluster.Current, new UpdateSwarm(cluster.Current.Swarm!.Version.Index, spec) { At = Now })!;

        Assert.Equal(["CAConfig.NodeCertExpiry", "CAConfig.ExternalCAs"], refusal.Problems.Select(p => p.Where));
    }

    private static byte[] Bytes(byte start) => [.. Enumerable.Range(start, 34).Select(i => (byte)i)];

    private async Task<Orchestrator.Shared.Protocol.IssueReply> IssueAsync(string token)
    {
        using var request = SigningRequest.Create();
        return await service.IssueAsync(new() { Csr = request.Der, Token = token, Address = "10.0.0.9:2377" }, Stop);
    }

    private sealed class StandingClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => Now;
    }

    /// <summary>A log of one.</summary>
    private sealed class Played : ICluster
    {
        public ClusterState Current { get; private set; } = ClusterState.Empty;

        internal void Do(Command command)
        {
            var applied = Applying.Run(Current, Current.Index + 1, command);
            Assert.Null(applied.Outcome.Refusal);
            Current = applied.State;
        }

        public Task<Outcome> ProposeAsync(Command command, CancellationToken stop)
        {
            var applied = Applying.Run(Current, Current.Index + 1, command);
            Current = applied.State;
            return Task.FromResult(applied.Outcome);
        }

        public Task<ClusterState> FreshAsync(CancellationToken stop) => Task.FromResult(Current);

        public IAsyncEnumerable<StateChange> WatchAsync(CancellationToken stop) => throw new NotSupportedException("nobody watches here");
    }
}
