using Orchestrator.Worker.Containers.Payloads;
using Orchestrator.Worker.Runtime;

namespace Orchestrator.Worker.Containers;

/// <summary>The secrets and configs it sees: known to this process alone, and mounted at each start.</summary>
internal sealed partial class ContainerLife
{
    private volatile ContainerFiles? files;

    /// <summary>Takes effect at the next start; a container that runs has its files already.</summary>
    internal void GiveFiles(ContainerFiles given) => files = given;

    private async Task<StartedContainer> StartWithFilesAsync(LaunchRequest request)
    {
        var memory = MakeFiles();
        try
        {
            // Not mapped again: the files were made with the host's ids of their owners.
            var spec = request.Spec with { Mounts = [.. request.Spec.Mounts, .. memory.Mounts] };
            return await services.Runtime.StartAsync(request with { Spec = spec }, CancellationToken.None);
        }
        finally
        {
            try
            {
                memory.Dispose();
            }
            catch (IOException e)
            {
                // Nobody but root can look in, and the next daemon takes it away; the start itself is not judged by it.
                services.Log.ContainerWorkFailed(e, Id, "taking its files off the host");
            }
        }
    }

    /// <summary>To be disposed when the container was started, which then has the files mounted.</summary>
    /// <exception cref="IOException">Its files were not given to this daemon yet.</exception>
    private MemoryFiles MakeFiles()
    {
        if (container.MemoryFiles is not { Count: > 0 } targets)
            return MemoryFiles.None;
        if (files is not { } given || !given.Targets.SequenceEqual(targets, StringComparer.Ordinal))
        {
            throw new IOException(
                $"its secrets and configs ({string.Join(", ", targets)}) are not here: the daemon was restarted, and a manager gives them again when the node's agent has its session");
        }

        return MemoryFiles.Make(services.MemoryRoot, Id, given, container.Remap);
    }
}
