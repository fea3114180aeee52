namespace Orchestrator.Shared.Security;

/// <summary>The key that opens locked managers, as operators keep it: <c>SWMKEY-1-</c> and 32 bytes in base64 without padding, as Swarm's.</summary>
public static class UnlockKeyText
{
    private const string Prefix = "SWMKEY-1-";
    private const int Bytes = 32;
    private const int Letters = 43;

    public static string Write(ReadOnlySpan<byte> key) => key.Length == Bytes
        ? Prefix + Convert.ToBase64String(key).TrimEnd('=')
        : throw new ArgumentException($"an unlock key has {Bytes} bytes, not {key.Length}", nameof(key));

    /// <summary>Null when the text is no such key.</summary>
    public static byte[]? Parse(string text)
    {
        text = text.Trim();
        if (!text.StartsWith(Prefix, StringComparison.Ordinal) || text.Length != Prefix.Length + Letters)
            return null;
        var key = new byte[Bytes];
        return Convert.TryFromBase64String(text[Prefix.Length..] + "=", key, out var written) && written == Bytes ? key : null;
    }
}
