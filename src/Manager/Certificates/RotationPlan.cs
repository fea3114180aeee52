using System.Collections.Immutable;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Certificates;

/// <summary>How far a change of the root has come. Pure.</summary>
/// <param name="Waiting">Members whose certificates are not of the next root, or have not been confirmed; nodes that are down among them.</param>
internal sealed record RotationPlan(ImmutableArray<NodeId> Waiting)
{
    /// <summary>Null when no rotation is under way.</summary>
    internal static RotationPlan? Of(ClusterState state)
    {
        if (state.Security is not { Rotation: not null } security)
            return null;
        var desired = security.Desired();
        return new([.. state.Nodes.Values.Where(n => !Has(n, desired)).Select(n => n.Id)]);
    }

    /// <summary>Trusts the next root alone. The tokens are new: the former ones name a root that is no more.</summary>
    /// <param name="random">At least 34 random bytes.</param>
    internal static SetSecurity Finish(ClusterSecurity security, ReadOnlySpan<byte> random, DateTimeOffset now)
    {
        var rotation = security.Rotation ?? throw new ArgumentException("no rotation is under way", nameof(security));
        return new(security.Version.Index, security with
        {
            RootPem = rotation.NextPem,
            RootKeyPem = rotation.NextKeyPem,
            WorkerSecret = Shared.Security.JoinToken.NewSecret(random[..17]),
            ManagerSecret = Shared.Security.JoinToken.NewSecret(random.Slice(17, 17)),
            Rotation = null,
        }) { At = now };
    }

    private static bool Has(Node node, TlsInfo desired) =>
        node.Description?.TlsInfo is { } has && has.CertIssuerPublicKey == desired.CertIssuerPublicKey && has.CertIssuerSubject == desired.CertIssuerSubject;
}
