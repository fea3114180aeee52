using System.Text.Json;
using System.Text.Json.Serialization;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Cli.Daemon;

/// <summary>Who this node is in its cluster; it exists from init or join until leave.</summary>
/// <remarks>A file from before clusters had several nodes lacks all but the first three: its node is a founding manager at the usual port.</remarks>
internal sealed record NodeIdentity
{
    public required NodeId NodeId { get; init; }
    public required string ClusterId { get; init; }

    /// <summary>The address others reach this node by.</summary>
    public required string Address { get; init; }

    /// <summary>What the cluster port is bound to, <c>address:port</c>.</summary>
    public string ListenAddr { get => field ?? ClusterEndpoints.DefaultListen; init; } = ClusterEndpoints.DefaultListen;

    /// <summary>Where others reach the cluster port, <c>host:port</c>.</summary>
    public string ClusterAddr { get => field ?? $"{Address}:{ClusterEndpoints.DefaultPort}"; init; } = null!;

    /// <summary>True: no manager runs here.</summary>
    public bool Worker { get; init; }

    /// <summary>True: the manager's log began empty and was told by a leader; false: the cluster began with it.</summary>
    public bool Joined { get; init; }

    /// <summary>
    /// The manager's number in the consensus: drawn when its journal begins empty, written here before it is used, and never used with another
    /// journal. Null on a worker, and for a manager whose journal began before numbers were drawn.
    /// </summary>
    public ulong? Member { get; init; }

    /// <summary>True: the operator had the cluster begin anew with this manager, and that is not finished.</summary>
    public bool BeginsAnew { get; init; }

    /// <summary>The managers as last told.</summary>
    public IReadOnlyList<ManagerPeer> Managers { get; init => field = value ?? []; } = [];
}

/// <summary>
/// The identity's file, <c>swarm/node.json</c>: written as a whole, last of all that init and join make and first of all that a change of
/// role changes. What a start finds beside it and it does not name is from a step that a crash broke, and is removed.
/// </summary>
internal sealed class NodeIdentityFile(string dataRoot)
{
    internal string Directory { get; } = Path.Combine(dataRoot, "swarm");

    internal string Certificates => Path.Combine(Directory, "certificates");

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
        FileOps.SyncDirectory(Directory); // a manager's number is not to be forgotten once others heard it
    }

    /// <summary>Forgets the cluster: the identity first, so that a crash in between leaves no node of a half-deleted state.</summary>
    internal void Delete()
    {
        if (!System.IO.Directory.Exists(Directory))
            return;
        File.Delete(FilePath);
        System.IO.Directory.Delete(Directory, recursive: true);
    }
}

[JsonSourceGenerationOptions(WriteIndented = true)]
[JsonSerializable(typeof(NodeIdentity))]
internal sealed partial class NodeIdentityJson : JsonSerializerContext;
