namespace Orchestrator.Shared.Model;

/// <summary>Turns random bytes into identifiers' text. Randomness is the caller's, so that plans and Apply stay replayable.</summary>
public static class IdText
{
    private const string Base36 = "0123456789abcdefghijklmnopqrstuvwxyz";

    /// <summary>Length of a cluster object's identifier: 25 digits of base 36 hold 129 bits, as swarmkit's identity package.</summary>
    public const int ClusterLength = 25;

    /// <summary>Writes 25 base-36 digits from at least 17 random bytes.</summary>
    public static string Cluster(ReadOnlySpan<byte> random)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(random.Length, 17);
        var number = new System.Numerics.BigInteger(random[..17], isUnsigned: true);
        Span<char> text = stackalloc char[ClusterLength];
        for (var i = ClusterLength - 1; i >= 0; i--)
        {
            number = System.Numerics.BigInteger.DivRem(number, 36, out var digit);
            text[i] = Base36[(int)digit];
        }
        return new string(text);
    }

    /// <summary>Writes 64 hex digits from 32 random bytes: containers and networks of one host.</summary>
    public static string Host(ReadOnlySpan<byte> random)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(random.Length, 32);
        return Convert.ToHexStringLower(random);
    }
}
