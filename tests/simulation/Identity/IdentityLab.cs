using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Cli.Daemon;
using Orchestrator.Manager.Certificates;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Shared.Rpc;
using Orchestrator.Shared.Security;
using Orchestrator.Tests.Doubles;
using Orchestrator.Tests.Simulation.Control;

namespace Orchestrator.Tests.Simulation.Identity;

/// <summary>A CA and its nodes over one played state, in virtual time. The nodes' renewals and the CA are the product's own.</summary>
internal sealed class IdentityLab : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("orch-identity").FullName;
    private readonly CancellationTokenSource stop = new();
    private readonly PlayedCluster cluster = new();
    private readonly CertificateService service;
    private readonly List<Task> loops = [];
    private readonly Queue<byte> dice;

    internal IdentityLab(int seed, TimeSpan expiry)
    {
        dice = new(Enumerable.Range(0, 4096).Select(i => System.Security.Cryptography.SHA256.HashData(BitConverter.GetBytes((seed << 12) + i))[0]));
        var authority = CertificateAuthority.Create(World.Time.GetUtcNow());
        var swarm = new Swarm { Id = "cluster", Spec = new() { CaConfig = new() { NodeCertExpiry = expiry } } };
        Do(new InitSwarm(swarm, new() { Id = new("first") })
        {
            At = World.Time.GetUtcNow(),
            Security = ClusterSecurity.Begin(authority, new byte[34].Select((_, i) => (byte)i).ToArray()),
        });
        Do(new RemoveNode(new("first"), Force: true) { At = World.Time.GetUtcNow() });
        service = new(cluster, World.Time, NullLogger.Instance);
    }

    internal World World { get; } = new();

    internal List<Member> Members { get; } = [];

    /// <summary>No manager answers.</summary>
    internal bool CutOff { get; set; }

    internal ClusterState Current => cluster.Current;

    internal ClusterSecurity Security => Current.Security!;

    /// <summary>Joins nodes; the first is a manager.</summary>
    internal void Join(int count)
    {
        for (var i = 0; i < count; i++)
        {
            using var request = SigningRequest.Create();
            var role = i == 0 ? NodeRole.Manager : NodeRole.Worker;
            var reply = World.Run(
                () => service.IssueAsync(new() { Csr = request.Der, Token = Security.Token(role).Reveal(), Address = $"10.0.0.{i}:2377" }, stop.Token), TimeSpan.Zero);
            var box = new CredentialBox(ClusterJoin.Take(reply, request, World.Time.GetUtcNow()));
            var file = new NodeCredentialsFile(Path.Combine(root, $"{i}"));
            file.Write(box.Current);
            var member = new Member(box, file, new CertificateRenewal(box, file, new Wire(this), World.Time, Fraction, NullLogger.Instance));
            Members.Add(member);
            World.Run(
                () =>
                {
                    loops.Add(member.Renewal.RunAsync(stop.Token));
                    return Task.CompletedTask;
                },
                TimeSpan.Zero);
        }
    }

    internal void Do(Command command) => cluster.Do(command);

    /// <summary>Everybody accepts everybody: as caller and as called.</summary>
    internal void EveryoneMustTrustEveryone()
    {
        var now = World.Time.GetUtcNow();
        foreach (var one in Members)
        {
            foreach (var other in Members)
            {
                var own = one.Box.Current;
                var peer = other.Box.Current;
                var verdict = CertificateTrust.Judge(peer.Certificate, peer.Intermediates, own.Roots, "cluster", now);
                Assert.True(verdict.Identity is not null, $"{own.NodeId} refuses {peer.NodeId}: {verdict.Refusal}");
            }
        }
    }

    public void Dispose()
    {
        stop.Cancel();
        World.RunUntil(() => loops.TrueForAll(l => l.IsCompleted), TimeSpan.FromSeconds(1));
        Assert.All(loops, l => Assert.True(l.IsCanceled, l.Exception?.ToString()));
        Members.ForEach(m => m.Renewal.Dispose());
        stop.Dispose();
        Directory.Delete(root, recursive: true);
    }

    private double Fraction()
    {
        var value = dice.Dequeue();
        dice.Enqueue(value);
        return value / 256.0;
    }

    internal sealed record Member(CredentialBox Box, NodeCredentialsFile File, CertificateRenewal Renewal);

    /// <summary>The way to a manager, which judges the certificate as the server's side of TLS and of the calls does.</summary>
    private sealed class Wire(IdentityLab lab) : ICertificates
    {
        public Task<RootReply> RootAsync(CancellationToken stop) => lab.service.RootAsync(stop);

        public Task<IssueReply> IssueAsync(IssueRequest request, CancellationToken stop) => lab.service.IssueAsync(request, stop);

        public Task<IssueReply> RenewAsync(RenewRequest request, PeerIdentity peer, CancellationToken stop) => lab.service.RenewAsync(request, Seen(peer), stop);

        public Task<ConfirmReply> ConfirmAsync(ConfirmRequest request, PeerIdentity peer, CancellationToken stop) => lab.service.ConfirmAsync(request, Seen(peer), stop);

        private PeerIdentity Seen(PeerIdentity peer)
        {
            if (lab.CutOff)
                throw new RpcException(RpcStatus.Unavailable, "no manager answers");
            var own = lab.Members.Find(m => m.Box.Current.NodeId == peer.NodeId)!.Box.Current;
            var roots = new System.Security.Cryptography.X509Certificates.X509Certificate2Collection();
            roots.ImportFromPem(lab.Security.TrustedRootsPem);
            var verdict = CertificateTrust.Judge(own.Certificate, own.Intermediates, roots, "cluster", lab.World.Time.GetUtcNow());
            return verdict.Identity ?? throw new RpcException(RpcStatus.Unauthenticated, verdict.Refusal!);
        }
    }
}
