using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Orchestrator.Manager.Raft.Storage;

/// <summary>
/// Payloads as they lie on the disk (AES-256-GCM). What a payload is, whose, and where it stands are authenticated with it, so that rows
/// cannot be exchanged. Format 2: the format, the key's number, a salt of 16 random bytes, a counter of 64 bits, the ciphertext, the tag.
/// </summary>
/// <remarks>
/// Nothing depends on the index, which a truncated log uses again. The salt is drawn when a journal is opened and whenever its key
/// changes; it makes a key of its own, under which the counter is the nonce. The counter lives in this object alone and only goes up,
/// so no nonce comes twice, and the derivation is paid once and not for each entry. Format 1, still read, derived for each message.
/// </remarks>
internal sealed class JournalSeal(JournalKeys keys, string persistenceId) : IDisposable
{
    private const byte Format = 2;
    private const int KeyNumberAt = 1;
    private const int SaltAt = 5;
    private const int SaltBytes = 16;
    private const int CounterAt = SaltAt + SaltBytes;
    private const int TagBytes = 16;
    private const int HeaderBytes = CounterAt + sizeof(ulong);
    private const int NonceBytes = 12;
    private const ulong MostMessages = 1UL << 32;
    private const int MostOpeners = 64;

    private static readonly byte[] Label = "orch journal seal 2"u8.ToArray();

    private readonly byte[] owner = Encoding.UTF8.GetBytes($"orch journal {Format}\n{persistenceId}\n");
    private readonly Dictionary<(uint Key, UInt128 Salt), AesGcm> openers = [];
    private readonly byte[] salt = new byte[SaltBytes];
    private AesGcm? sealer;
    private ulong counter;

    internal JournalKeys Keys { get; private set; } = keys;

    /// <summary>From here on the newest of these keys seals.</summary>
    internal void Use(JournalKeys next)
    {
        Keys = next;
        sealer?.Dispose();
        sealer = null;
    }

    internal byte[] Seal(string kind, ulong index, ulong term, ReadOnlySpan<byte> payload)
    {
        if (sealer is null || counter == MostMessages)
            Begin();
        var sealedBytes = new byte[HeaderBytes + payload.Length + TagBytes];
        var into = sealedBytes.AsSpan();
        into[0] = Format;
        BinaryPrimitives.WriteUInt32BigEndian(into[KeyNumberAt..], Keys.Newest);
        salt.CopyTo(into[SaltAt..]);
        BinaryPrimitives.WriteUInt64BigEndian(into[CounterAt..], counter);
        Span<byte> nonce = stackalloc byte[NonceBytes];
        Nonce(counter++, nonce);
        Span<byte> place = stackalloc byte[PlaceBytes(kind)];
        Place(kind, index, term, place);
        sealer!.Encrypt(nonce, payload, into.Slice(HeaderBytes, payload.Length), into[^TagBytes..], place);
        return sealedBytes;
    }

    /// <exception cref="CryptographicException">It is not what was written there, or its key is gone; the message says which.</exception>
    internal byte[] Open(string kind, ulong index, ulong term, ReadOnlySpan<byte> stored)
    {
        if (stored.Length < HeaderBytes + TagBytes || stored[0] is not (1 or Format))
            throw new CryptographicException($"{stored.Length} bytes are no sealed payload of format {Format}");
        var payload = new byte[stored.Length - HeaderBytes - TagBytes];
        var cipher = stored[HeaderBytes..^TagBytes];
        var tag = stored[^TagBytes..];
        if (stored[0] == 1)
        {
            using var own = new AesGcm(HMACSHA256.HashData(KeyOf(stored), stored.Slice(SaltAt, NonceBytes)), TagBytes);
            own.Decrypt(stored.Slice(SaltAt + NonceBytes, NonceBytes), cipher, tag, payload, OldPlace(kind, index, term));
            return payload;
        }

        Span<byte> nonce = stackalloc byte[NonceBytes];
        Nonce(BinaryPrimitives.ReadUInt64BigEndian(stored[CounterAt..]), nonce);
        Span<byte> place = stackalloc byte[PlaceBytes(kind)];
        Place(kind, index, term, place);
        Opener(stored).Decrypt(nonce, cipher, tag, payload, place);
        return payload;
    }

    /// <summary>The number of the key that a sealed payload needs.</summary>
    internal static uint KeyNumber(ReadOnlySpan<byte> stored) => stored.Length < SaltAt ? 0 : BinaryPrimitives.ReadUInt32BigEndian(stored[KeyNumberAt..]);

    public void Dispose()
    {
        sealer?.Dispose();
        foreach (var opener in openers.Values)
            opener.Dispose();
    }

    private void Begin()
    {
        sealer?.Dispose();
        RandomNumberGenerator.Fill(salt);
        counter = 0;
        sealer = Cipher(Keys.Find(Keys.Newest)!, salt);
    }

    private AesGcm Opener(ReadOnlySpan<byte> stored)
    {
        var which = (KeyNumber(stored), BinaryPrimitives.ReadUInt128BigEndian(stored[SaltAt..]));
        if (openers.TryGetValue(which, out var opener))
            return opener;
        var key = KeyOf(stored);
        if (openers.Count == MostOpeners)
        {
            foreach (var old in openers.Values)
                old.Dispose();
            openers.Clear();
        }

        return openers[which] = Cipher(key, stored.Slice(SaltAt, SaltBytes));
    }

    private byte[] KeyOf(ReadOnlySpan<byte> stored) => Keys.Find(KeyNumber(stored))
        ?? throw new CryptographicException($"it is sealed under key {KeyNumber(stored)}, which {JournalKeys.FileName} does not have");

    private static AesGcm Cipher(byte[] key, ReadOnlySpan<byte> salt)
    {
        Span<byte> own = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(key, [.. Label, .. salt], own);
        var cipher = new AesGcm(own, TagBytes);
        CryptographicOperations.ZeroMemory(own);
        return cipher;
    }

    private static void Nonce(ulong number, Span<byte> nonce)
    {
        nonce.Clear();
        BinaryPrimitives.WriteUInt64BigEndian(nonce[(NonceBytes - sizeof(ulong))..], number);
    }

    private int PlaceBytes(string kind) => owner.Length + kind.Length + 1 + (2 * sizeof(ulong));

    /// <param name="kind">ASCII.</param>
    private void Place(string kind, ulong index, ulong term, Span<byte> place)
    {
        owner.CopyTo(place);
        var rest = place[owner.Length..];
        Encoding.ASCII.GetBytes(kind, rest);
        rest[kind.Length] = (byte)'\n';
        BinaryPrimitives.WriteUInt64BigEndian(rest[(kind.Length + 1)..], index);
        BinaryPrimitives.WriteUInt64BigEndian(rest[(kind.Length + 1 + sizeof(ulong))..], term);
    }

    private byte[] OldPlace(string kind, ulong index, ulong term) =>
        Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"orch journal 1\n{persistenceId}\n{kind}\n{index}\n{term}"));
}
