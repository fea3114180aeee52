using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Orchestrator.Manager.Raft.Storage;

/// <summary>
/// Payloads as they lie on the disk: format 1, the key's number, 24 random bytes, the ciphertext, the tag (AES-256-GCM). What a payload is,
/// whose, and where it stands are authenticated with it, so that rows cannot be exchanged.
/// </summary>
/// <remarks>
/// A journal outlives the 2^32 messages that random 12-byte nonces allow under one key. So each message has its own key, made from the
/// first half of its random bytes; the other half is its nonce.
/// </remarks>
internal sealed class JournalSeal(JournalKeys keys, string persistenceId)
{
    private const byte Format = 1;
    private const int KeyNumberAt = 1;
    private const int RandomAt = 5;
    private const int RandomBytes = 24;
    private const int SaltBytes = 12;
    private const int TagBytes = 16;
    private const int HeaderBytes = RandomAt + RandomBytes;

    internal byte[] Seal(string kind, ulong index, ulong term, ReadOnlySpan<byte> payload)
    {
        var sealedBytes = new byte[HeaderBytes + payload.Length + TagBytes];
        var into = sealedBytes.AsSpan();
        into[0] = Format;
        BinaryPrimitives.WriteUInt32BigEndian(into[KeyNumberAt..], keys.Newest);
        RandomNumberGenerator.Fill(into.Slice(RandomAt, RandomBytes));
        using var cipher = Cipher(keys.Find(keys.Newest)!, into.Slice(RandomAt, SaltBytes));
        cipher.Encrypt(
            into.Slice(RandomAt + SaltBytes, RandomBytes - SaltBytes), payload, into.Slice(HeaderBytes, payload.Length), into[^TagBytes..],
            Place(kind, index, term));
        return sealedBytes;
    }

    /// <exception cref="CryptographicException">It is not what was written there, or its key is gone; the message says which.</exception>
    internal byte[] Open(string kind, ulong index, ulong term, ReadOnlySpan<byte> stored)
    {
        if (stored.Length < HeaderBytes + TagBytes || stored[0] != Format)
            throw new CryptographicException($"{stored.Length} bytes are no sealed payload of format {Format}");
        var number = BinaryPrimitives.ReadUInt32BigEndian(stored[KeyNumberAt..]);
        var key = keys.Find(number) ?? throw new CryptographicException($"it is sealed under key {number}, which {JournalKeys.FileName} does not have");
        var payload = new byte[stored.Length - HeaderBytes - TagBytes];
        using var cipher = Cipher(key, stored.Slice(RandomAt, SaltBytes));
        cipher.Decrypt(
            stored.Slice(RandomAt + SaltBytes, RandomBytes - SaltBytes), stored[HeaderBytes..^TagBytes], stored[^TagBytes..], payload, Place(kind, index, term));
        return payload;
    }

    private static AesGcm Cipher(byte[] key, ReadOnlySpan<byte> salt)
    {
        Span<byte> own = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, salt, own);
        var cipher = new AesGcm(own, TagBytes);
        CryptographicOperations.ZeroMemory(own);
        return cipher;
    }

    private byte[] Place(string kind, ulong index, ulong term) =>
        Encoding.UTF8.GetBytes(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"orch journal {Format}\n{persistenceId}\n{kind}\n{index}\n{term}"));
}
