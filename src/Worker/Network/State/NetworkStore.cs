using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Orchestrator.Worker.Network.State;

/// <summary>The networks of this host, and whether the host forwarded packets before us.</summary>
internal sealed record NetworksFile(ImmutableArray<HostNetwork> Networks, bool ForwardingWasOff);

/// <summary>A sandbox with what is needed to answer for it after a restart.</summary>
internal sealed record SandboxFile(SandboxRequest Request, Sandbox Sandbox, int DnsPort);

/// <summary>
/// The room's memory under <c>data-root/network</c>. Every write replaces a whole file by rename. Namespaces and rules do not outlive the machine,
/// so nothing is flushed to disk except the networks.
/// </summary>
internal sealed class NetworkStore(string root)
{
    private readonly string sandboxes = Path.Combine(root, "sandboxes");

    internal void Open() => Directory.CreateDirectory(sandboxes);

    internal NetworksFile LoadNetworks() => Load(Path.Combine(root, "networks.json"), NetworkJson.Default.NetworksFile) ?? new NetworksFile([], false);

    internal void SaveNetworks(NetworksFile file) => Save(Path.Combine(root, "networks.json"), file, NetworkJson.Default.NetworksFile, Flush.Disk);

    internal ServiceTable? LoadServices() => Load(Path.Combine(root, "services.json"), NetworkJson.Default.ServiceTable);

    internal void SaveServices(ServiceTable table) => Save(Path.Combine(root, "services.json"), table, NetworkJson.Default.ServiceTable, Flush.None);

    internal IReadOnlyList<SandboxFile> LoadSandboxes()
        => [.. Directory.EnumerateFiles(sandboxes, "*.json").Select(path => Load(path, NetworkJson.Default.SandboxFile)).OfType<SandboxFile>()];

    internal void SaveSandbox(SandboxFile file) => Save(SandboxPath(file.Request.Id), file, NetworkJson.Default.SandboxFile, Flush.None);

    internal void DeleteSandbox(string id) => File.Delete(SandboxPath(id));

    internal void DeleteAll()
    {
        if (Directory.Exists(root))
            Directory.Delete(root, recursive: true);
    }

    private enum Flush
    {
        None,
        Disk,
    }

    private string SandboxPath(string id) => Path.Combine(sandboxes, id + ".json");

    private static T? Load<T>(string path, JsonTypeInfo<T> type)
        where T : class
    {
        if (!File.Exists(path))
            return null;
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), type);
        }
        catch (JsonException error)
        {
            throw new NetworkException($"network state {path} cannot be read: {error.Message}", error);
        }
    }

    private static void Save<T>(string path, T value, JsonTypeInfo<T> type, Flush flush)
    {
        var next = path + ".new";
        using (var file = new FileStream(next, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
        {
            file.Write(JsonSerializer.SerializeToUtf8Bytes(value, type));
            file.Flush(flushToDisk: flush == Flush.Disk);
        }

        File.Move(next, path, overwrite: true);
    }
}
