using System.Security.Cryptography;

namespace Orchestrator.Manager.Raft.Storage;

/// <summary>The keys that a journal's payloads are sealed under: the newest seals, all of them open.</summary>
/// <remarks>
/// The file names how each key is kept. <c>none</c> is the key itself, safe as the file's mode is; <c>unlock</c> is the key wrapped by one that
/// the operator holds (AES-256-GCM: nonce, ciphertext, tag). A version that does not know a word refuses the file instead of guessing.
/// </remarks>
internal sealed class JournalKeys
{
    internal const string FileName = "journal-keys.json";
    internal const int KeyBytes = 32;
    private const int Format = 1;
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private const string Plain = "none";
    private const string Wrapped = "unlock";

    private readonly IReadOnlyList<OpenKey> keys;
    private readonly JournalKeyFile file;
    private readonly byte[]? unlockKey;

    private JournalKeys(JournalKeyFile file, IReadOnlyList<OpenKey> keys, byte[]? unlockKey)
    {
        this.file = file;
        this.keys = keys;
        this.unlockKey = unlockKey;
        Newest = keys.Max(k => k.Number);
    }

    /// <summary>The number of the key that seals.</summary>
    internal uint Newest { get; }

    internal uint Oldest => keys.Min(k => k.Number);

    /// <summary>The keys lie wrapped by an unlock key.</summary>
    private bool IsLocked => unlockKey is not null;

    internal bool IsProtectedBy(byte[]? by) => IsLocked == by is not null && CryptographicOperations.FixedTimeEquals(unlockKey, by);

    internal byte[]? Find(uint number)
    {
        foreach (var key in keys)
        {
            if (key.Number == number)
                return key.Key;
        }

        return null;
    }

    /// <summary>Whether the file's keys are wrapped, so that a journal opens only with the unlock key.</summary>
    /// <exception cref="JournalException">The file is missing, readable by others than its owner, or not understood.</exception>
    internal static bool AreLocked(JournalKeyFile file) => file.Read().Keys.Any(k => k.Wrap == Wrapped);

    /// <param name="unlockKey">Not needed, and not looked at, when the keys are not wrapped.</param>
    /// <exception cref="JournalLockedException">The keys are wrapped, by another key than this.</exception>
    /// <exception cref="JournalException">The file is missing, readable by others than its owner, or not understood.</exception>
    internal static JournalKeys Read(JournalKeyFile file, byte[]? unlockKey)
    {
        var stored = file.Read();
        if (stored.Format != Format || stored.Keys.Count == 0)
            throw new JournalException($"{file.Path} has format {stored.Format} and {stored.Keys.Count} keys, this version of orch reads format {Format} with one at least");
        if (stored.Keys.FirstOrDefault(k => k.Wrap is not (Plain or Wrapped)) is { } strange)
            throw new JournalException($"key {strange.Number} of {file.Path} is kept as '{strange.Wrap}', which this version of orch cannot open");
        if (stored.Keys.Select(k => k.Number).Distinct().Count() != stored.Keys.Count)
            throw new JournalException($"{file.Path} holds two keys of one number: restore the file from a backup");
        var wrapped = stored.Keys.Any(k => k.Wrap == Wrapped);
        if (wrapped && unlockKey is null)
            throw new JournalLockedException("the swarm is locked on this manager: its journal's keys are wrapped by the swarm's unlock key; give it with 'orch swarm unlock'");
        List<OpenKey> open = [.. stored.Keys.Select(k => new OpenKey(k.Number, k.Created, k.Wrap == Wrapped ? Unwrap(k, unlockKey!) : k.Key))];
        if (open.Find(k => k.Key.Length != KeyBytes) is { } odd)
            throw new JournalException($"key {odd.Number} of {file.Path} has {odd.Key.Length} bytes, not {KeyBytes}: restore the file from a backup");
        return new(file, open, wrapped ? unlockKey : null);
    }

    /// <summary>A first key, on the disk before anything is sealed with it.</summary>
    internal static JournalKeys Create(JournalKeyFile file, TimeProvider time, byte[]? unlockKey = null) => new JournalKeys(file, [New(1, time)], unlockKey).Stored();

    /// <summary>Adds a key that seals from now on; what is sealed under the older ones still opens.</summary>
    internal JournalKeys Rotate(TimeProvider time) => new JournalKeys(file, [.. keys, New(Newest + 1, time)], unlockKey).Stored();

    /// <summary>Without the keys whose numbers are lower: nothing that is sealed under them is left.</summary>
    internal JournalKeys Forget(uint below) => new JournalKeys(file, [.. keys.Where(k => k.Number >= below || k.Number == Newest)], unlockKey).Stored();

    /// <summary>Wrapped by this unlock key from now on, or, with null, not at all.</summary>
    internal JournalKeys Protect(byte[]? by) => new JournalKeys(file, keys, by).Stored();

    private JournalKeys Stored()
    {
        file.Replace(new(Format, [.. keys.Select(k => new StoredKey(k.Number, k.Created, IsLocked ? Wrapped : Plain, IsLocked ? Wrap(k, unlockKey!) : k.Key))]));
        return this;
    }

    private static OpenKey New(uint number, TimeProvider time) => new(number, time.GetUtcNow(), RandomNumberGenerator.GetBytes(KeyBytes));

    private static byte[] Wrap(OpenKey key, byte[] by)
    {
        var wrapped = new byte[NonceBytes + key.Key.Length + TagBytes];
        var nonce = wrapped.AsSpan(0, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var cipher = new AesGcm(by, TagBytes);
        cipher.Encrypt(nonce, key.Key, wrapped.AsSpan(NonceBytes, key.Key.Length), wrapped.AsSpan(NonceBytes + key.Key.Length), Place(key.Number));
        return wrapped;
    }

    private static byte[] Unwrap(StoredKey key, byte[] by)
    {
        try
        {
            var stored = key.Key.AsSpan();
            var plain = new byte[Math.Max(0, stored.Length - NonceBytes - TagBytes)];
            using var cipher = new AesGcm(by, TagBytes);
            cipher.Decrypt(stored[..NonceBytes], stored[NonceBytes..^TagBytes], stored[^TagBytes..], plain, Place(key.Number));
            return plain;
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            throw new JournalLockedException("the unlock key is not the one that this manager's journal is locked with: if it was rotated while this manager was down, give the one from before", e);
        }
    }

    private static byte[] Place(uint number) => System.Text.Encoding.ASCII.GetBytes(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"orch journal key {number}"));

    private sealed record OpenKey(uint Number, DateTimeOffset Created, byte[] Key)
    {
        public override string ToString() => $"journal key {Number}";
    }
}
