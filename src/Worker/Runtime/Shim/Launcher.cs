using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Runtime.Cgroups;
using Orchestrator.Worker.Runtime.Init;
using Orchestrator.Worker.Runtime.Launch;
using Orchestrator.Worker.Runtime.Plan;
using Orchestrator.Worker.Runtime.Seccomp;
using Orchestrator.Worker.Runtime.Users;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>Carries a launch plan out: groups, FIFOs, descriptors, then the new process. Safe on many threads at once.</summary>
internal sealed partial class Launcher : IDisposable
{
    private const int Sigkill = 9;

    private readonly string directory;
    private readonly TimeProvider time;
    private readonly HostFacts host = HostFactsReader.Read();
    private readonly SafeFileHandle nothing = KernelFile.Open("/dev/null", KernelFile.ReadWrite);
    private readonly SafeFileHandle init = Self.SealedFile("orch-init", InitProgram.Image());
    private readonly ConcurrentDictionary<ulong, SeccompFilter> filters = new();
    private readonly ConcurrentDictionary<string, SeccompFilter> compiled = new();
    private readonly ConcurrentDictionary<string, PathKind> kernelPaths = new();

    /// <param name="directory">Where each container's FIFOs lie in a directory of its own.</param>
    /// <param name="time">Stamps starts and log lines.</param>
    internal Launcher(string directory, TimeProvider time)
    {
        this.directory = directory;
        this.time = time;
        Directory.CreateDirectory(directory);
    }

    /// <summary>How the host's cgroups are mounted.</summary>
    internal Cgroups.CgroupLayout Layout => host.Cgroups;

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
        var filter = Filter(request);
        var traits = Traits.Of(request, filter);
        var plan = LaunchPlan.For(request, host, groups, filter, Look);

        var undo = new Stack<Action>();
        try
        {
            var own = $"{directory}/{request.Id}";
            var notes = new ContainerNotes(own);
            if (!KernelFile.MakeDirectory(own, 0x1c0))
                throw new RuntimeException($"{own} is there already: something of an earlier {request.Id} could not be removed.");
            undo.Push(notes.Delete);
            notes.Write(LaunchNote.Of(request, path, traits));
            var cgroup = Cgroup.Create(groups);
            undo.Push(cgroup.Remove);
            using var files = new OpenFiles();
            files.Borrow(LaunchPlan.Init, init);
            var (output, input) = OpenStdio(request, plan, own, files, logFailed, undo);
            undo.Push(output.Dispose);

            var warnings = plan.Warnings.ToList();
            var process = Run(request, plan, cgroup, files, warnings);
            undo.Push(() => End(process));
            var started = new StartedNote(process.Pid, ProcessStat.Read(process.Pid)?.StartTime ?? 0, time.GetUtcNow());
            notes.Write(started);
            return (new Container(request.Id, started, process.PidFd, Parent.This, cgroup, output, input, notes, traits), warnings);
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

    /// <summary>The container's user by the host's ids.</summary>
    private static Spec.OciUser OnHost(Spec.OciSpec spec) => spec.Process.User with
    {
        Uid = IdMap.ToHost(spec.Linux.UidMappings, spec.Process.User.Uid, "user"),
        Gid = IdMap.ToHost(spec.Linux.GidMappings, spec.Process.User.Gid, "group"),
    };

    private static LaunchedProcess Run(LaunchRequest request, LaunchPlan plan, Cgroup cgroup, OpenFiles files, List<string> warnings)
    {
        using var user = plan.UserPath is null ? null : KernelFile.Open(plan.UserPath, KernelFile.ReadOnly);
        foreach (var (name, file) in cgroup.OpenJoinFiles())
            files.Own(name, file);
        foreach (var file in plan.Files)
            files.Own(file.Name, KernelFile.Open(file.Path, KernelFile.ReadOnly));
        foreach (var mount in plan.Mounts)
            files.Own(mount.Name, Detach(mount, user, warnings));
        if (plan.Devices is { } devices)
            files.Own(LaunchPlan.Dev, MappedRoot.Dev(devices, request.Spec.Linux));
        if (user is not null)
            files.Own(LaunchPlan.Overlay, MappedRoot.Overlay(request.Root, user, request.Spec.Linux, plan.LongOverlay));
        else if (!plan.LongOverlay.IsEmpty)
            files.Own(LaunchPlan.Overlay, MountTree.New("overlay", plan.LongOverlay));
        using var unified = cgroup.OpenUnified();
        using var program = new LaunchProgram(plan.Steps, files.Numbers);
        return program.Run(plan.Namespaces, unified is null ? null : (int)unified.DangerousGetHandle());
    }

    private static SafeFileHandle Detach(DetachedMount mount, SafeFileHandle? user, List<string> warnings)
    {
        var tree = MountTree.Copy(mount.Source, mount.Recursive);
        try
        {
            var options = mount.Options;
            if ((options.AttributesSet | options.AttributesCleared) != 0)
                MountTree.SetAttributes(tree, options.AttributesSet, options.AttributesCleared, recursive: false, mount.Source);
            if ((options.RecursiveAttributesSet | options.RecursiveAttributesCleared) != 0)
                MountTree.SetAttributes(tree, options.RecursiveAttributesSet, options.RecursiveAttributesCleared, recursive: true, mount.Source);
            if (user is not null && options.MapOwners && !MappedRoot.TryMap(mount, tree, user))
                warnings.Add($"The file system of {mount.Source} cannot show its owners through a user namespace: the container sees those of the host.");
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
            return Shared(SeccompFilter.Compile(own));
        if (request.SeccompUnconfined)
            return null;
        return DefaultFilter(request.Spec.Process.Capabilities?.Bounding ?? []);
    }

    private SeccompFilter DefaultFilter(ImmutableArray<string> capabilities) => filters.GetOrAdd(
        Capabilities.Mask(capabilities), _ => SeccompFilter.Compile(SeccompProfile.Default.For(capabilities.ToHashSet(), host.Kernel)));

    /// <summary>Containers of one profile hold one filter between them.</summary>
    private SeccompFilter Shared(SeccompFilter filter) => compiled.GetOrAdd(
        Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(System.Runtime.InteropServices.MemoryMarshal.AsBytes(filter.Instructions.AsSpan()))) + filter.Flags, filter);

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
