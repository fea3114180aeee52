using System.Text.Json;
using System.Text.Json.Serialization;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Daemon;

/// <summary>Who this node is in its cluster; it exists from init or join until leave.</summary>
internal sealed record NodeIdentity
{
    public required NodeId NodeId { get; init; }
    public required string ClusterId { get; init; }

    /// <summary>The address others reach this node by.</summary>
    public required string Address { get; init; }
}

/// <summary>The identity's file, <c>swarm/node.json</c>: written as a whole, last of all that init makes.</summary>
internal sealed class NodeIdentityFile(string dataRoot)
{
    internal string Directory { get; } = Path.Combine(dataRoot, "swarm");

    private string FilePath => Path.Combine(Directory, "node.json");

    internal NodeIdentity? Read()
    {
        if (!File.Exists(FilePath))
            return null;
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(FilePath), NodeIdentityJson.Default.NodeIdentity)
                ?? throw new DaemonException($"{FilePath} is empty");
        }
        catch (JsonException e)
        {
            throw new DaemonException($"{FilePath} cannot be read: {e.Message}", e);
        }
    }

    internal void Write(NodeIdentity identity)
    {
        System.IO.Directory.CreateDirectory(Directory);
        var next = FilePath + ".new";
        using (var file = new FileStream(next, FileMode.Create, FileAccess.Write))
        {
            JsonSerializer.Serialize(file, identity, NodeIdentityJson.Default.NodeIdentity);
            file.Flush(flushToDisk: true);
        }

        File.Move(next, FilePath, overwrite: true);
    }

    /// <summary>Forgets the cluster: the identity first, so that a crash in between leaves no node of a half-deleted state.</summary>
    internal void Delete()
    {
        File.Delete(FilePath);
        if (System.IO.Directory.Exists(Directory))
            System.IO.Directory.Delete(Directory, recursive: true);
    }
}

[JsonSourceGenerationOptions(WriteIndented = true)]
[JsonSerializable(typeof(NodeIdentity))]
internal sealed partial class NodeIdentityJson : JsonSerializerContext;
