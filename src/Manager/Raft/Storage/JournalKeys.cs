using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Orchestrator.Manager.Raft.Storage;

/// <summary>The keys that a journal's payloads are sealed under: the newest seals, all of them open.</summary>
/// <remarks>
/// The file names how each key is kept. <c>none</c> is the key itself, safe as the file's mode is; a key wrapped by one that the operator
/// holds gets another word there, and a version that does not know the word refuses the file instead of guessing.
/// </remarks>
internal sealed class JournalKeys
{
    internal const string FileName = "journal-keys.json";
    private const int Format = 1;
    private const int KeyBytes = 32;
    private const string Plain = "none";

    private readonly Dictionary<uint, byte[]> keys;

    private JournalKeys(Dictionary<uint, byte[]> keys, uint newest)
    {
        this.keys = keys;
        Newest = newest;
    }

    /// <summary>The number of the key that seals.</summary>
    internal uint Newest { get; }

    internal byte[]? Find(uint number) => keys.GetValueOrDefault(number);

    /// <exception cref="JournalException">The file is missing, readable by others than its owner, or not understood.</exception>
    internal static JournalKeys Read(string path)
    {
        try
        {
#pragma warning disable CA1416 // orch runs on Linux only
            if ((File.GetUnixFileMode(path) & ~(UnixFileMode.UserRead | UnixFileMode.UserWrite)) != UnixFileMode.None)
                throw new JournalException($"{path} holds the journal's keys and can be read by others than its owner: make it 0600 (chmod 600), and consider its secrets known");
#pragma warning restore CA1416
            var stored = JsonSerializer.Deserialize(File.ReadAllBytes(path), JournalKeysJson.Default.StoredKeys)
                ?? throw new JournalException($"{path} is empty: restore it from a backup");
            if (stored.Format != Format || stored.Keys.Count == 0)
                throw new JournalException($"{path} has format {stored.Format}, this version of orch reads {Format}");
            if (stored.Keys.FirstOrDefault(k => k.Wrap != Plain) is { } wrapped)
                throw new JournalException($"key {wrapped.Number} of {path} is kept as '{wrapped.Wrap}', which this version of orch cannot open");
            if (stored.Keys.FirstOrDefault(k => k.Key.Length != KeyBytes) is { } odd)
                throw new JournalException($"key {odd.Number} of {path} has {odd.Key.Length} bytes, not {KeyBytes}: restore the file from a backup");
            return new(stored.Keys.ToDictionary(k => k.Number, k => k.Key), stored.Keys.Max(k => k.Number));
        }
        catch (Exception e) when (e is JsonException or FileNotFoundException or ArgumentException)
        {
            throw new JournalException($"the journal is sealed and its keys, {path}, cannot be read: {e.Message}. Restore the file from a backup; without it the journal cannot be opened", e);
        }
    }

    /// <summary>A first key, on the disk before anything is sealed with it.</summary>
    internal static JournalKeys Create(string path, TimeProvider time) => Store(path, [], time);

    /// <summary>Adds a key that seals from now on; what is sealed under the older ones still opens.</summary>
    internal static JournalKeys Rotate(string path, TimeProvider time)
    {
        _ = Read(path);
        return Store(path, JsonSerializer.Deserialize(File.ReadAllBytes(path), JournalKeysJson.Default.StoredKeys)!.Keys, time);
    }

    private static JournalKeys Store(string path, IReadOnlyList<StoredKey> older, TimeProvider time)
    {
        var number = older.Count == 0 ? 1 : older.Max(k => k.Number) + 1;
        IReadOnlyList<StoredKey> all = [.. older, new(number, time.GetUtcNow(), Plain, RandomNumberGenerator.GetBytes(KeyBytes))];
        var next = path + ".new";
        File.Delete(next);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
#pragma warning disable CA1416 // orch runs on Linux only
        options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
#pragma warning restore CA1416
        using (var file = new FileStream(next, options))
        {
            JsonSerializer.Serialize(file, new StoredKeys(Format, all), JournalKeysJson.Default.StoredKeys);
            file.Flush(flushToDisk: true);
        }

        File.Move(next, path, overwrite: true);
        return new(all.ToDictionary(k => k.Number, k => k.Key), number);
    }
}

internal sealed record StoredKeys(int Format, IReadOnlyList<StoredKey> Keys);

/// <param name="Wrap">How the key is kept: <c>none</c>, as it is.</param>
internal sealed record StoredKey(uint Number, DateTimeOffset Created, string Wrap, byte[] Key)
{
    public override string ToString() => $"journal key {Number}";
}

[JsonSourceGenerationOptions(WriteIndented = true)]
[JsonSerializable(typeof(StoredKeys))]
internal sealed partial class JournalKeysJson : JsonSerializerContext;
