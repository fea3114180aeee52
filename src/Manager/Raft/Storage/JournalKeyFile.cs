using System.Text.Json;
using System.Text.Json.Serialization;

namespace Orchestrator.Manager.Raft.Storage;

/// <summary>The file of a journal's keys. It is replaced whole: a crash leaves the old one or the new one.</summary>
/// <param name="syncDirectory">Makes a rename in a directory durable.</param>
internal sealed class JournalKeyFile(string directory, Action<string> syncDirectory)
{
    internal string Path { get; } = System.IO.Path.Combine(directory, JournalKeys.FileName);

    internal bool Exists => File.Exists(Path);

    /// <exception cref="JournalException">The file is missing, readable by others than its owner, or not understood.</exception>
    internal StoredKeys Read()
    {
        try
        {
            if ((File.GetUnixFileMode(Path) & ~(UnixFileMode.UserRead | UnixFileMode.UserWrite)) != UnixFileMode.None)
                throw new JournalException($"{Path} holds the journal's keys and can be read by others than its owner: make it 0600 (chmod 600), and consider its secrets known");
            return JsonSerializer.Deserialize(File.ReadAllBytes(Path), JournalKeysJson.Default.StoredKeys) is { Keys: { } keys } stored && keys.All(k => k is { Wrap: not null, Key: not null })
                ? stored : throw new JournalException($"{Path} does not hold the journal's keys: restore it from a backup");
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new JournalException($"the journal is sealed and its keys, {Path}, cannot be read: {e.Message}. Restore the file from a backup; without it the journal cannot be opened", e);
        }
    }

    /// <exception cref="JournalException">The file could not be written; the old one is in force.</exception>
    internal void Replace(StoredKeys keys)
    {
        var next = Path + ".new";
        try
        {
            File.Delete(next);
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite };
            using (var file = new FileStream(next, options))
            {
                JsonSerializer.Serialize(file, keys, JournalKeysJson.Default.StoredKeys);
                file.Flush(flushToDisk: true);
            }

            File.Move(next, Path, overwrite: true);
            syncDirectory(directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new JournalException($"the journal's keys, {Path}, could not be written: {e.Message}", e);
        }
    }
}

internal sealed record StoredKeys(int Format, IReadOnlyList<StoredKey> Keys);

/// <param name="Wrap">How the key is kept: <c>none</c>, as it is; <c>unlock</c>, wrapped by the swarm's unlock key.</param>
internal sealed record StoredKey(uint Number, DateTimeOffset Created, string Wrap, byte[] Key)
{
    public override string ToString() => $"journal key {Number}";
}

[JsonSourceGenerationOptions(WriteIndented = true)]
[JsonSerializable(typeof(StoredKeys))]
internal sealed partial class JournalKeysJson : JsonSerializerContext;
