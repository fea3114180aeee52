using System.Security.Cryptography.X509Certificates;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Security;

namespace Orchestrator.Manager.State;

/// <summary>The cluster's secrets about itself: its CA, its tokens. Replicated and in snapshots, in no answer, event or log.</summary>
internal sealed record ClusterSecurity
{
    /// <summary>The index of the entry that wrote it last.</summary>
    public ObjectVersion Version { get => field ?? new(0); init; } = new(0);

    /// <summary>The root by which the cluster is known: tokens bear its digest.</summary>
    public required string RootPem { get; init; }

    public required string RootKeyPem { get; init; }

    /// <summary>The secret part of the workers' token.</summary>
    public required string WorkerSecret { get; init; }

    /// <summary>The secret part of the managers' token.</summary>
    public required string ManagerSecret { get; init; }

    /// <summary>The change to another root, while it lasts.</summary>
    public RootRotation? Rotation { get; init; }

    /// <summary>Opens managers' journal keys while auto-lock is on; null: off.</summary>
    public byte[]? UnlockKey { get; init; }

    /// <summary>What every node is to trust, PEM; the root that issues now comes first.</summary>
    internal string TrustedRootsPem => Rotation is { } rotation ? rotation.NextPem + "\n" + RootPem + "\n" : RootPem + "\n";

    /// <summary>A new cluster's.</summary>
    /// <param name="random">At least 34 random bytes.</param>
    internal static ClusterSecurity Begin(CertificateAuthority authority, ReadOnlySpan<byte> random) => new()
    {
        RootPem = authority.CertificatePem,
        RootKeyPem = authority.KeyPem,
        WorkerSecret = JoinToken.NewSecret(random[..17]),
        ManagerSecret = JoinToken.NewSecret(random.Slice(17, 17)),
    };

    /// <summary>What issues now: during a rotation the next root.</summary>
    internal CertificateAuthority Authority() => Rotation is { } rotation
        ? CertificateAuthority.FromPem(rotation.NextPem, rotation.NextKeyPem)
        : CertificateAuthority.FromPem(RootPem, RootKeyPem);

    internal JoinToken Token(NodeRole role)
    {
        using var root = X509Certificate2.CreateFromPem(RootPem);
        return JoinToken.Of(root, role == NodeRole.Manager ? ManagerSecret : WorkerSecret);
    }

    /// <summary>The role that a token gives; null: it is none of this cluster's.</summary>
    internal NodeRole? Admits(JoinToken token)
    {
        using var root = X509Certificate2.CreateFromPem(RootPem);
        if (token.RootDigest != JoinToken.Digest(root))
            return null;
        return token.HasSecret(ManagerSecret) ? NodeRole.Manager : token.HasSecret(WorkerSecret) ? NodeRole.Worker : null;
    }

    /// <summary>What the cluster's nodes should have, in Docker's form.</summary>
    internal TlsInfo Desired()
    {
        using var issuing = X509Certificate2.CreateFromPem(Rotation?.NextPem ?? RootPem);
        var issuer = CertificateIssuer.Of(issuing);
        return new() { TrustRoot = TrustedRootsPem, CertIssuerSubject = issuer.Subject, CertIssuerPublicKey = issuer.PublicKey };
    }

    /// <summary>The cluster with what Docker shows of its CA to whoever may ask this node; not the tokens.</summary>
    internal Swarm? Show(Swarm? swarm) => swarm is null ? null : swarm with { TlsInfo = Desired(), RootRotationInProgress = Rotation is not null };

    /// <summary>Without its secrets.</summary>
    public override string ToString() => Rotation is null ? "cluster security" : "cluster security, its root rotating";
}

/// <summary>The next root while nodes go over to it.</summary>
/// <param name="NextPem">Self-signed: what nodes trust besides the former one.</param>
/// <param name="NextKeyPem">Its key.</param>
/// <param name="CrossSignedPem">The same name and key signed by the former root: for who trusts that alone.</param>
internal sealed record RootRotation(string NextPem, string NextKeyPem, string CrossSignedPem)
{
    /// <summary>Without its key.</summary>
    public override string ToString() => "root rotation";
}
