using System.Buffers;

namespace Orchestrator.Worker.Images.Content;

/// <summary>A piece of content: its digest and length.</summary>
internal readonly record struct Blob(string Digest, long Size);

/// <summary>Digests as written in OCI documents.</summary>
internal static class Digests
{
    internal const string Sha256 = "sha256:";

    private static readonly SearchValues<char> _hex = SearchValues.Create("0123456789abcdef");

    /// <summary>The 64 hexadecimal digits; anything else than a sha256 digest is refused, since it becomes a path.</summary>
    internal static string Hex(string digest) =>
        IsValid(digest) ? digest[Sha256.Length..] : throw ImageException.Bad($"\"{digest}\" is not a sha256 digest");

    internal static bool IsValid(string digest) =>
        digest.Length == Sha256.Length + 64
        && digest.StartsWith(Sha256, StringComparison.Ordinal)
        && digest.AsSpan(Sha256.Length).IndexOfAnyExcept(_hex) < 0;

    internal static string Of(ReadOnlySpan<byte> hash) => Sha256 + Convert.ToHexStringLower(hash);
}
