using System.Text.Json;
using System.Text.Json.Serialization;

namespace Orchestrator.Worker.Api;

/// <summary>What users said of this host's networks and the kernel has no place for.</summary>
internal sealed record HostNetworkNote
{
    public DateTimeOffset Created { get; init; }
    public bool Attachable { get; init; }
    public Dictionary<string, string> Labels { get; init; } = [];
    public Dictionary<string, string> Options { get; init; } = [];
}

/// <summary>The notes by network id in one file, replaced as a whole.</summary>
internal sealed class HostNetworkNotes(string path)
{
    private readonly Lock _guard = new();
    private Dictionary<string, HostNetworkNote> _notes = File.Exists(path)
        ? JsonSerializer.Deserialize(File.ReadAllBytes(path), HostNetworkNotesJson.Default.DictionaryStringHostNetworkNote) ?? []
        : [];

    internal HostNetworkNote? Of(string id)
    {
        lock (_guard)
            return _notes.GetValueOrDefault(id);
    }

    internal void Set(string id, HostNetworkNote note)
    {
        lock (_guard)
            Save(new Dictionary<string, HostNetworkNote>(_notes, StringComparer.Ordinal) { [id] = note });
    }

    internal void Remove(string id)
    {
        lock (_guard)
            Save(_notes.Where(n => n.Key != id).ToDictionary(StringComparer.Ordinal));
    }

    private void Save(Dictionary<string, HostNetworkNote> notes)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var next = path + ".new";
        File.WriteAllBytes(next, JsonSerializer.SerializeToUtf8Bytes(notes, HostNetworkNotesJson.Default.DictionaryStringHostNetworkNote));
        File.Move(next, path, overwrite: true);
        _notes = notes;
    }
}

[JsonSerializable(typeof(Dictionary<string, HostNetworkNote>))]
internal sealed partial class HostNetworkNotesJson : JsonSerializerContext;
