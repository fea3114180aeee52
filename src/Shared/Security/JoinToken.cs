using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Orchestrator.Shared.Model;

namespace Orchestrator.Shared.Security;

/// <summary>
/// What lets a host join: <c>SWMTKN-1-DIGEST-SECRET</c>, in Swarm's form. The digest pins the cluster's root certificate, so that the joiner
/// knows whom it talks to; the secret is the cluster's own, one for workers and one for managers.
/// </summary>
/// <param name="RootDigest">SHA-256 of the root certificate (DER) as 50 digits of base 36.</param>
/// <param name="Secret">25 digits of base 36.</param>
public sealed record JoinToken(string RootDigest, string Secret)
{
    private const string Prefix = "SWMTKN-1-";
    private const string Base36 = "0123456789abcdefghijklmnopqrstuvwxyz";

    /// <summary>36^50 is the first power above 2^256.</summary>
    private const int DigestLength = 50;

    public static JoinToken Of(X509Certificate2 root, string secret) => new(Digest(root), secret);

    /// <summary>The digest of a root certificate as tokens carry it.</summary>
    public static string Digest(X509Certificate2 root)
    {
        var number = new BigInteger(SHA256.HashData(root.RawDataMemory.Span), isUnsigned: true, isBigEndian: true);
        Span<char> text = stackalloc char[DigestLength];
        for (var i = DigestLength - 1; i >= 0; i--)
        {
            number = BigInteger.DivRem(number, 36, out var digit);
            text[i] = Base36[(int)digit];
        }

        return new string(text);
    }

    /// <summary>A fresh secret from at least 17 random bytes.</summary>
    public static string NewSecret(ReadOnlySpan<byte> random) => IdText.Cluster(random);

    public static bool TryParse(string text, [NotNullWhen(true)] out JoinToken? token)
    {
        token = null;
        var parts = text.Trim().Split('-');
        if (parts is not ["SWMTKN", "1", var digest, var secret]
            || digest.Length != DigestLength || secret.Length != IdText.ClusterLength || !(digest + secret).All(Base36.Contains))
            return false;
        token = new(digest, secret);
        return true;
    }

    /// <exception cref="FormatException">It is no token; the message tells the form.</exception>
    public static JoinToken Parse(string text) => TryParse(text, out var token)
        ? token
        : throw new FormatException(
            $"this is not a join token: a token reads {Prefix}(50 digits and letters)-(25 digits and letters), as \"orch swarm join-token worker\" prints it on a manager");

    /// <summary>Compares in constant time.</summary>
    public bool HasSecret(string secret) =>
        CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(Secret), Encoding.UTF8.GetBytes(secret));

    /// <summary>As an operator passes it on.</summary>
    public string Reveal() => $"{Prefix}{RootDigest}-{Secret}";

    /// <summary>Without its secret.</summary>
    public override string ToString() => $"{Prefix}{RootDigest}-…";
}
