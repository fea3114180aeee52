using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Orchestrator.Shared.Security;

/// <summary>What a node does about its certificate.</summary>
public enum RenewalAct
{
    /// <summary>Nothing before <see cref="RenewalPlan.At"/>, unless something is told meanwhile.</summary>
    Wait,

    /// <summary>Ask for another certificate.</summary>
    Renew,

    /// <summary>Trust the roots that were told: the certificate is of the newest already.</summary>
    TakeRoots,
}

/// <summary>When a node renews its certificate: between 50 and 80 % of its life (swarmkit's ca package), and at once for a new root. Pure.</summary>
/// <param name="Act">What to do now.</param>
/// <param name="At">For waiting: when the certificate is due.</param>
public sealed record RenewalPlan(RenewalAct Act, DateTimeOffset At)
{
    private const double Earliest = 0.5;
    private const double Latest = 0.8;

    /// <param name="own">In use.</param>
    /// <param name="toldRoots">What a manager said is to be trusted, PEM, the issuing root first; null: nothing yet.</param>
    /// <param name="spread">In [0, 1), of this certificate: so that nodes that joined together do not renew together.</param>
    public static RenewalPlan Of(NodeCredentials own, string? toldRoots, double spread, DateTimeOffset now)
    {
        if (spread is < 0 or >= 1)
            throw new ArgumentOutOfRangeException(nameof(spread), spread, "the spread lies in [0, 1)");
        var (begins, ends) = own.Life;
        var due = begins + ((ends - begins) * (Earliest + ((Latest - Earliest) * spread)));
        var told = Read(toldRoots);
        if (now >= due || (told.Count > 0 && CertificateIssuer.Of(told[0]) != own.Self.Issuer))
            return new(RenewalAct.Renew, now);
        return told.Count > 0 && !told.Select(r => r.Thumbprint).SequenceEqual(own.Roots.Select(r => r.Thumbprint), StringComparer.Ordinal)
            ? new(RenewalAct.TakeRoots, now)
            : new(RenewalAct.Wait, due);
    }

    /// <summary>What can't be read is as if it was not told: the certificate in use still leads to roots that are trusted.</summary>
    private static X509Certificate2Collection Read(string? pem)
    {
        var roots = new X509Certificate2Collection();
        try
        {
            roots.ImportFromPem(pem ?? "");
        }
        catch (CryptographicException)
        {
            roots.Clear();
        }

        return roots;
    }
}
