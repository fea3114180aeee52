using System.Text.Json;
using Orchestrator.Cli.Client;
using Orchestrator.Worker.Containers.Files;

namespace Orchestrator.Cli.Commands.Files;

/// <summary>What a container has at a path.</summary>
internal static class ContainerPath
{
    private const string StatHeader = "X-Docker-Container-Path-Stat";
    private const uint DirectoryBit = 1u << 31;

    internal static bool IsDirectory(PathStat stat) => (stat.Mode & DirectoryBit) != 0;

    /// <summary>Null: nothing is there, or there is no such container.</summary>
    internal static async Task<PathStat?> FindAsync(EngineClient client, string container, string path, CancellationToken stop)
    {
        try
        {
            using var response = await client.OpenAsync(HttpMethod.Head, CopyCommand.ArchivePath(container, path), null, stop);
            return Read(response);
        }
        catch (EngineException e) when (e.Status == 404)
        {
            return null;
        }
    }

    internal static PathStat Read(HttpResponseMessage response) =>
        response.Headers.TryGetValues(StatHeader, out var values)
        && JsonSerializer.Deserialize(Convert.FromBase64String(values.First()), PathStatJson.Default.PathStat) is { } stat
            ? stat
            : throw new CommandException($"the daemon's answer has no header {StatHeader}");
}
