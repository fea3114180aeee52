using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Runtime.Plan;
using Orchestrator.Worker.Shim;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>
/// Descriptors of running containers that the daemon holds and does not use, so that they outlive the shim. While somebody has a FIFO open it keeps
/// what was written into it, also by a container that ends meanwhile; a process that is held tells its status though somebody else collected it; a
/// terminal whose master is held is not hung up, a stdin whose writing end is held does not end. The last two the next shim inherits.
/// </summary>
internal sealed class Safekeeping(string execRoot, ILogger log) : IAsyncDisposable
{
    private readonly CancellationTokenSource stopping = new();
    private readonly ConcurrentDictionary<string, Kept> all = new(StringComparer.Ordinal);

    /// <summary>Holds a container that runs; again does no harm.</summary>
    /// <param name="id">The container.</param>
    /// <param name="pid">Its first process.</param>
    /// <param name="hold">Asks the shim for the way into the container: a file, and the end when it is to be closed.</param>
    internal void Keep(string id, int pid, Func<string, CancellationToken, IAsyncEnumerable<SafeFileHandle>> hold)
    {
        if (all.TryGetValue(id, out var have) && have.Pid == pid)
            return;
        try
        {
            var kept = Open(id, pid, hold);
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

    /// <summary>Duplicates of the ways into containers.</summary>
    internal IReadOnlyList<(string Id, SafeFileHandle File)> Inputs() =>
        [.. all.Select(k => (k.Key, File: k.Value.DuplicateInput())).Where(i => i.File is not null).Select(i => (i.Key, i.File!))];

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        var holding = all.Values.Select(k => k.Holding).ToList();
        foreach (var id in all.Keys)
            Release(id);
        await Task.WhenAll(holding);
        stopping.Dispose();
    }

    private Kept Open(string id, int pid, Func<string, CancellationToken, IAsyncEnumerable<SafeFileHandle>> hold)
    {
        var own = Path.Combine(ShimMain.ContainersPath(execRoot), id);
        var kept = new Kept(pid);
        try
        {
            kept.Process = PidFd.Find(pid);
            // A number may be another process's by now; with the start time it is nobody else's.
            if (ProcessStat.Read(pid)?.StartTime is not { } start || start != new ContainerNotes(own).Started?.StartTime)
                kept.LetGoOfProcess();
            foreach (var name in (ReadOnlySpan<string>)[LaunchPlan.Stdout, LaunchPlan.Stderr])
            {
                if (File.Exists($"{own}/{name}"))
                    kept.Files.Add(KernelFile.Open($"{own}/{name}", KernelFile.ReadOnly | KernelFile.NonBlocking));
            }
            if (new ContainerNotes(own).Launch?.Traits is { Terminal: true } or { OpenStdin: true })
                kept.Holding = HoldAsync(kept, id, hold);
            return kept;
        }
        catch
        {
            kept.Dispose();
            throw;
        }
    }

    /// <summary>Until the shim says that it is to be closed, or the container is deleted. Each shim is asked anew.</summary>
    private async Task HoldAsync(Kept kept, string id, Func<string, CancellationToken, IAsyncEnumerable<SafeFileHandle>> hold)
    {
        while (!stopping.IsCancellationRequested && !kept.Released)
        {
            try
            {
                await foreach (var file in hold(id, stopping.Token))
                    kept.SetInput(file);
                kept.SetInput(null);
                return;
            }
            catch (ShimException lost) when (lost.Lost)
            {
                // what is held is the next one's to inherit
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception error) when (error is ShimException or ObjectDisposedException)
            {
                log.NotKept(id, error.Message);
                return;
            }
        }
    }

    private sealed class Kept(int pid) : IDisposable
    {
        private readonly Lock gate = new();
        private SafeFileHandle? input;

        internal Task Holding { get; set; } = Task.CompletedTask;

        internal bool Released { get; private set; }

        internal void SetInput(SafeFileHandle? file)
        {
            lock (gate)
            {
                input?.Dispose();
                input = file;
                if (Released)
                    file?.Dispose();
            }
        }

        internal SafeFileHandle? DuplicateInput()
        {
            lock (gate)
                return input is { IsClosed: false } open ? Fifo.Duplicate(open) : null;
        }

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
            lock (gate)
            {
                Released = true;
                input?.Dispose();
            }
            foreach (var file in Files)
                file.Dispose();
        }
    }
}
