using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Runtime.Plan;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>
/// Descriptors of running containers that the daemon holds and does not use, so that they outlive the shim. While somebody has a FIFO open it keeps
/// what was written into it, also by a container that ends meanwhile; a process that is held tells its status though somebody else collected it.
/// </summary>
internal sealed class Safekeeping(string execRoot, ILogger log) : IDisposable
{
    private readonly ConcurrentDictionary<string, Kept> all = new(StringComparer.Ordinal);

    /// <summary>Holds a container that runs; again does no harm.</summary>
    internal void Keep(string id, int pid)
    {
        if (all.TryGetValue(id, out var have) && have.Pid == pid)
            return;
        try
        {
            var kept = Open(id, pid);
            var old = all.GetValueOrDefault(id);
            all[id] = kept;
            old?.Dispose();
        }
        catch (IOException error)
        {
            log.NotKept(id, error.Message);
        }
    }

    /// <summary>The exit that no shim has seen, with its status where this one tells it.</summary>
    internal ContainerExit Complete(ContainerExit exit)
    {
        if (!all.TryGetValue(exit.Id, out var kept) || kept.Pid != exit.Pid || kept.Process is not { } process || !PidFd.HasEnded(process))
            return exit;
        return PidFd.StatusOfOther(process, exit.Pid) is { } status
            ? exit with { ExitCode = status.ExitCode, Signal = status.Signal == 0 ? null : status.Signal, Unknown = false }
            : exit;
    }

    /// <summary>The container is deleted.</summary>
    internal void Release(string id)
    {
        if (all.TryRemove(id, out var kept))
            kept.Dispose();
    }

    public void Dispose()
    {
        foreach (var id in all.Keys)
            Release(id);
    }

    private Kept Open(string id, int pid)
    {
        var own = Path.Combine(ShimMain.ContainersPath(execRoot), id);
        var kept = new Kept(pid);
        try
        {
            kept.Process = PidFd.Open(pid);
            // A number may be another process's by now; with the start time it is nobody else's.
            if (ProcessStat.Read(pid)?.StartTime is not { } start || start != new ContainerNotes(own).Started?.StartTime)
                kept.LetGoOfProcess();
            foreach (var name in (ReadOnlySpan<string>)[LaunchPlan.Stdout, LaunchPlan.Stderr])
            {
                if (File.Exists($"{own}/{name}"))
                    kept.Files.Add(KernelFile.Open($"{own}/{name}", KernelFile.ReadOnly | KernelFile.NonBlocking));
            }
            return kept;
        }
        catch
        {
            kept.Dispose();
            throw;
        }
    }

    private sealed class Kept(int pid) : IDisposable
    {
        internal int Pid { get; } = pid;

        internal SafeFileHandle? Process { get; set; }

        internal List<SafeFileHandle> Files { get; } = [];

        internal void LetGoOfProcess()
        {
            Process?.Dispose();
            Process = null;
        }

        public void Dispose()
        {
            LetGoOfProcess();
            foreach (var file in Files)
                file.Dispose();
        }
    }
}
