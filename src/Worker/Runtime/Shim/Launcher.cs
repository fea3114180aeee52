using System.Collections.Concurrent;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Runtime.Cgroups;
using Orchestrator.Worker.Runtime.Init;
using Orchestrator.Worker.Runtime.Launch;
using Orchestrator.Worker.Runtime.Plan;
using Orchestrator.Worker.Runtime.Seccomp;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>Carries a launch plan out: groups, FIFOs, descriptors, then the new process. Safe on many threads at once.</summary>
internal sealed class Launcher : IDisposable
{
    private const int Sigkill = 9;

    private readonly string directory;
    private readonly TimeProvider time;
    private readonly HostFacts host = HostFactsReader.Read();
    private readonly SafeFileHandle nothing = KernelFile.Open("/dev/null", KernelFile.ReadWrite);
    private readonly SafeFileHandle init = Self.SealedFile("orch-init", InitProgram.Image());
    private readonly ConcurrentDictionary<ulong, SeccompFilter> filters = new();
    private readonly ConcurrentDictionary<string, PathKind> kernelPaths = new();

    /// <param name="directory">Where each container's FIFOs lie in a directory of its own.</param>
    /// <param name="time">Stamps starts and log lines.</param>
    internal Launcher(string directory, TimeProvider time)
    {
        this.directory = directory;
        this.time = time;
        Directory.CreateDirectory(directory);
    }

    /// <summary>Where the host's cgroup hierarchies are mounted.</summary>
    internal IEnumerable<string> CgroupMounts => host.Cgroups.Legacy.Select(h => h.MountPoint).Append(host.Cgroups.Unified).OfType<string>();

    /// <summary>Starts the container's process. On failure everything that was made is gone again.</summary>
    internal (Container Container, IReadOnlyList<string> Warnings) Launch(LaunchRequest request, Action<Exception> logFailed)
    {
        var spec = request.Spec;
        if (request.Id.Length == 0 || request.Id.AsSpan().IndexOfAny("/\0") >= 0 || request.Id.StartsWith('.'))
            throw new RuntimeException($"'{request.Id}' cannot be a container's id.");
        var path = spec.Linux.CgroupsPath ?? $"/orch/{request.Id}";
        var groups = CgroupPlan.For(host.Cgroups, path, spec.Linux.Resources);
        var plan = LaunchPlan.For(request, host, groups, Filter(request), Look);

        var undo = new Stack<Action>();
        try
        {
            var own = $"{directory}/{request.Id}";
            var notes = new ContainerNotes(own);
            if (!KernelFile.MakeDirectory(own, 0x1c0))
                throw new RuntimeException($"{own} is there already: something of an earlier {request.Id} could not be removed.");
            undo.Push(notes.Delete);
            notes.Write(new LaunchNote { Id = request.Id, CgroupsPath = path, Log = request.Log });
            var cgroup = Cgroup.Create(groups);
            undo.Push(cgroup.Remove);
            using var files = new OpenFiles();
            files.Borrow(LaunchPlan.Null, nothing);
            files.Borrow(LaunchPlan.Init, init);
            var output = new ContainerOutput(
                request.Log, OpenFifo(own, LaunchPlan.Stdout, spec.Process.User, files), OpenFifo(own, LaunchPlan.Stderr, spec.Process.User, files),
                new OutputSpool(own), time, logFailed);
            undo.Push(output.Dispose);

            var process = Run(plan, cgroup, files);
            undo.Push(() => End(process));
            var started = new StartedNote(process.Pid, ProcessStat.Read(process.Pid)?.StartTime ?? 0, time.GetUtcNow());
            notes.Write(started);
            return (new Container(request.Id, started, process.PidFd, Parent.This, cgroup, output, notes), plan.Warnings);
        }
        catch (Exception error)
        {
            var failure = error switch
            {
                LaunchFailedException failed => ExecPlan.Explain(spec.Process, failed),
                RuntimeException known => known,
                _ => new RuntimeException(error.Message, error),
            };
            throw Undo(undo, failure);
        }
    }

    public void Dispose()
    {
        nothing.Dispose();
        init.Dispose();
    }

    /// <summary>Of a container that cannot be noted down: nobody would find it again.</summary>
    private static void End(LaunchedProcess process)
    {
        PidFd.Signal(process.PidFd, Sigkill);
        PidFd.Wait(process.PidFd);
        process.PidFd.Dispose();
    }

    private static LaunchedProcess Run(LaunchPlan plan, Cgroup cgroup, OpenFiles files)
    {
        foreach (var (name, file) in cgroup.OpenJoinFiles())
            files.Own(name, file);
        foreach (var file in plan.Files)
            files.Own(file.Name, KernelFile.Open(file.Path, KernelFile.ReadOnly));
        foreach (var mount in plan.Mounts)
            files.Own(mount.Name, Detach(mount));
        if (!plan.LongOverlay.IsEmpty)
            files.Own(LaunchPlan.Overlay, MountTree.New("overlay", plan.LongOverlay));
        using var unified = cgroup.OpenUnified();
        using var program = new LaunchProgram(plan.Steps, files.Numbers);
        return program.Run(plan.Namespaces, unified is null ? null : (int)unified.DangerousGetHandle());
    }

    private static SafeFileHandle Detach(DetachedMount mount)
    {
        var tree = MountTree.Copy(mount.Source, mount.Recursive);
        try
        {
            var options = mount.Options;
            if ((options.AttributesSet | options.AttributesCleared) != 0)
                MountTree.SetAttributes(tree, options.AttributesSet, options.AttributesCleared, recursive: false, mount.Source);
            if ((options.RecursiveAttributesSet | options.RecursiveAttributesCleared) != 0)
                MountTree.SetAttributes(tree, options.RecursiveAttributesSet, options.RecursiveAttributesCleared, recursive: true, mount.Source);
            return tree;
        }
        catch
        {
            tree.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The container's end is open for reading too: while it lives a reader is there, so that it gets no SIGPIPE when we die.
    /// </summary>
    private static SafeFileHandle OpenFifo(string own, string name, Spec.OciUser user, OpenFiles files)
    {
        var path = $"{own}/{name}";
        Fifo.Make(path);
        var reader = KernelFile.Open(path, KernelFile.ReadOnly | KernelFile.NonBlocking);
        files.Own(name, KernelFile.Open(path, KernelFile.ReadWrite));
        if (user.Uid != 0 || user.Gid != 0)
            Fifo.Give(reader, user.Uid, user.Gid);
        return reader;
    }

    private SeccompFilter? Filter(LaunchRequest request)
    {
        if (request.Spec.Linux.Seccomp is { } own)
            return SeccompFilter.Compile(own);
        if (request.SeccompUnconfined)
            return null;
        var capabilities = request.Spec.Process.Capabilities?.Bounding ?? [];
        return filters.GetOrAdd(
            Capabilities.Mask(capabilities), _ => SeccompFilter.Compile(SeccompProfile.Default.For(capabilities.ToHashSet(), host.Kernel)));
    }

    /// <summary>/proc and /sys do not change what they have while we run; everything else is looked at each time.</summary>
    private PathKind Look(string path) => path.StartsWith("/proc/", StringComparison.Ordinal) || path.StartsWith("/sys/", StringComparison.Ordinal)
        ? kernelPaths.GetOrAdd(path, LookNow)
        : LookNow(path);

    private static PathKind LookNow(string path) =>
        Directory.Exists(path) ? PathKind.Directory : File.Exists(path) ? PathKind.File : PathKind.Missing;

    private static Exception Undo(Stack<Action> undo, RuntimeException failure)
    {
        var more = new List<Exception>();
        foreach (var step in undo)
        {
            try
            {
                step();
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                more.Add(error);
            }
        }
        return more.Count == 0
            ? failure
            : new RuntimeException($"{failure.Message}; and undoing it failed: {string.Join("; ", more.Select(e => e.Message))}", new AggregateException([failure, .. more])) { ExitCode = failure.ExitCode };
    }
}
