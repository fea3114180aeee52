using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Orchestrator.Worker.Images.Content;

namespace Orchestrator.Worker.Images.Build;

/// <summary>What a step made: its time, so that the same steps give the same image id, and its layer when it made one.</summary>
internal sealed record CachedStep
{
    public required DateTimeOffset Created { get; init; }
    public string? DiffId { get; init; }
    public string? Blob { get; init; }
    public long Size { get; init; }
}

/// <summary>Results of steps by key, one file each. An entry keeps its layer from being collected.</summary>
internal sealed class BuildCache(string root)
{
    private readonly ConcurrentDictionary<string, CachedStep> _steps = new(StringComparer.Ordinal);

    internal IEnumerable<string> DiffIds => _steps.Values.Where(s => s.DiffId is not null).Select(s => s.DiffId!);
    internal IEnumerable<KeyValuePair<string, CachedStep>> Steps => _steps;
    internal IEnumerable<string> Blobs => _steps.Values.Where(s => s.Blob is not null).Select(s => s.Blob!);

    /// <summary>The key of a step: what came before, what it says, and what it reads.</summary>
    internal static string Key(string parent, params ReadOnlySpan<string> parts)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(parent));
        foreach (var part in parts)
        {
            // Length first, so that no two lists of parts run together to the same bytes.
            var bytes = Encoding.UTF8.GetBytes(part);
            hash.AppendData(BitConverter.GetBytes(bytes.Length));
            hash.AppendData(bytes);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    internal void Load()
    {
        Directory.CreateDirectory(root);
        foreach (var file in Directory.GetFiles(root))
        {
            try
            {
                if (file.EndsWith(".json", StringComparison.Ordinal) && JsonSerializer.Deserialize(File.ReadAllBytes(file), BuildJson.Default.CachedStep) is { } step)
                {
                    _steps[Path.GetFileNameWithoutExtension(file)] = step;
                    continue;
                }
            }
            catch (JsonException)
            {
                // Half written when the machine stopped: the step runs again.
            }
            File.Delete(file);
        }
    }

    internal CachedStep? Find(string key) => _steps.GetValueOrDefault(key);

    internal void Put(string key, CachedStep step)
    {
        AtomicFile.Write(Path.Combine(root, key + ".json"), JsonSerializer.SerializeToUtf8Bytes(step, BuildJson.Default.CachedStep));
        _steps[key] = step;
    }

    internal void Clear(DateTimeOffset until)
    {
        foreach (var key in _steps.Where(step => step.Value.Created <= until).Select(step => step.Key))
        {
            if (_steps.TryRemove(key, out _))
                File.Delete(Path.Combine(root, key + ".json"));
        }
    }
}
