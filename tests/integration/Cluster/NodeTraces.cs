using System.Text.Json;
using Orchestrator.Tests.Integration.Fixtures;

namespace Orchestrator.Tests.Integration.Cluster;

/// <summary>How far a host's part in the cluster is, as its files and its log tell at a moment.</summary>
/// <param name="Role">By its identity; null: it has none.</param>
/// <param name="Number">Its manager's, by its identity.</param>
/// <param name="Certificate">When it was written last.</param>
/// <param name="Journal">The manager's directory is there.</param>
/// <param name="Tables">And the database in it.</param>
/// <param name="Admissions">How often its managers said that they were admitted.</param>
internal sealed record NodeTraces(string? Role, ulong? Number, DateTime? Certificate, bool Journal, bool Tables, int Admissions)
{
    internal static NodeTraces Of(OrchHost host)
    {
        var data = $"{host.Root}/data";
        var (role, number) = Identity($"{data}/swarm/node.json");
        var certificate = new FileInfo($"{data}/swarm/certificates/node.pem");
        return new(
            role, number, certificate.Exists ? certificate.LastWriteTimeUtc : null, Directory.Exists($"{data}/manager"), File.Exists($"{data}/manager/journal.db"),
            host.DaemonLog.Split("This manager is in the consensus").Length - 1);
    }

    private static (string? Role, ulong? Number) Identity(string path)
    {
        try
        {
            using var identity = JsonDocument.Parse(File.ReadAllBytes(path));
            var root = identity.RootElement;
            return (
                root.GetProperty("Worker").GetBoolean() ? "worker" : "manager",
                root.TryGetProperty("Member", out var number) && number.ValueKind == JsonValueKind.Number ? number.GetUInt64() : null);
        }
        catch (Exception none) when (none is FileNotFoundException or DirectoryNotFoundException)
        {
            return (null, null);
        }
    }
}
