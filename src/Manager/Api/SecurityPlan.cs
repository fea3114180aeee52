using System.Security.Cryptography;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Security;

namespace Orchestrator.Manager.Api;

/// <summary>What an update of the swarm asks for besides its spec.</summary>
internal sealed record SecurityWish(bool WorkerToken, bool ManagerToken, bool UnlockKey);

/// <summary>What an update of the swarm changes in its secrets: tokens, unlock key, CA.</summary>
internal static class SecurityPlan
{
    /// <summary>Null: nothing.</summary>
    /// <param name="random">Fresh random bytes, as many as asked for.</param>
    /// <exception cref="ApiException">What was given as a CA is none.</exception>
    internal static SetSecurity? Plan(
        ClusterSecurity security, SwarmSpec before, SwarmSpec wanted, SecurityWish wish, DateTimeOffset now, Func<int, byte[]> random)
    {
        var next = security;
        if (wish.WorkerToken)
            next = next with { WorkerSecret = JoinToken.NewSecret(random(17)) };
        if (wish.ManagerToken)
            next = next with { ManagerSecret = JoinToken.NewSecret(random(17)) };
        var locked = wanted.EncryptionConfig.AutoLockManagers;
        if (locked && (wish.UnlockKey || security.UnlockKey is null))
            next = next with { UnlockKey = random(32) };
        else if (!locked && security.UnlockKey is not null)
            next = next with { UnlockKey = null };
        if (NextAuthority(security, before.CaConfig, wanted.CaConfig, now) is { } authority)
            next = next with { Rotation = Rotation(security, authority, now) };
        return ReferenceEquals(next, security) ? null : new(security.Version.Index, next) { At = now };
    }

    private static CertificateAuthority? NextAuthority(ClusterSecurity security, SwarmCaOptions before, SwarmCaOptions wanted, DateTimeOffset now)
    {
        if (wanted.SigningCaCert is { Length: > 0 } given)
            return IsIssuing(security, given) ? null : Given(given, wanted.SigningCaKey, now);
        return wanted.ForceRotate > before.ForceRotate ? CertificateAuthority.Create(now) : null;
    }

    /// <summary>Clients send the spec back as they got it: a CA that issues already is no wish for another.</summary>
    private static bool IsIssuing(ClusterSecurity security, string pem)
    {
        using var issuing = security.Authority().Root;
        try
        {
            using var given = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPem(pem);
            return given.RawDataMemory.Span.SequenceEqual(issuing.RawDataMemory.Span);
        }
        catch (CryptographicException)
        {
            return false; // what it is instead is told when it is taken in
        }
    }

    private static CertificateAuthority Given(string certificate, string? key, DateTimeOffset now)
    {
        if (key is not { Length: > 0 })
            throw Refused("CAConfig.SigningCAKey", "a CA certificate of your own needs its key: the cluster issues its nodes' certificates itself");
        try
        {
            var authority = CertificateAuthority.FromPem(certificate, key);
            if (new DateTimeOffset(authority.Root.NotBefore) > now || new DateTimeOffset(authority.Root.NotAfter) < now.AddYears(1))
                throw Refused("CAConfig.SigningCACert", $"the certificate is valid from {authority.Root.NotBefore.ToUniversalTime():u} to {authority.Root.NotAfter.ToUniversalTime():u}; a root has to be valid now and for another year");
            return authority;
        }
        catch (CryptographicException unusable)
        {
            throw Refused("CAConfig.SigningCACert", $"this CA can't be used: {unusable.Message}");
        }
    }

    /// <summary>Cross-signed by the root that everybody trusts, also when another rotation is under way: nodes that went over already still lead back to it.</summary>
    private static RootRotation Rotation(ClusterSecurity security, CertificateAuthority next, DateTimeOffset now)
    {
        var former = CertificateAuthority.FromPem(security.RootPem, security.RootKeyPem);
        using var cross = former.CrossSign(next.Root, now);
        return new(next.CertificatePem, next.KeyPem, cross.ExportCertificatePem());
    }

    private static ApiException Refused(string where, string message) => new(400, message, [new Problem(where, message)]);
}
