using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Runtime.Cgroups;
using Orchestrator.Worker.Runtime.Consoles;
using Orchestrator.Worker.Runtime.Plan;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>From one shim to the next: what an earlier one has left, and becoming a newer one.</summary>
internal sealed partial class LocalRuntime
{
    private readonly Dictionary<string, SafeFileHandle> inherited = new(StringComparer.Ordinal);
    private volatile Task unpaused = Task.CompletedTask;

    /// <summary>
    /// Takes over the containers that an earlier shim has started, also those that ended meanwhile; removes what it was making or removing when it died.
    /// Call once, before anything else.
    /// </summary>
    /// <param name="instanceGroup">The cgroup in which nothing but this runtime's containers and the shim's own group are; null: unknown.</param>
    internal async Task TakeOverAsync(string? instanceGroup)
    {
        var layout = CgroupLayout.Discover();
        var kept = new List<string>();
        foreach (var (id, file) in ShimInputs.Receive())
            inherited[id] = file;
        foreach (var own in Directory.EnumerateDirectories(directory))
            TryRemoving(own, () => kept.AddRange(TakeOver(own, layout)));
        foreach (var place in instanceGroup is null ? [] : InstanceGroups.PlacesOf(layout, instanceGroup))
            RemoveStrangers(layout, place, kept);
        foreach (var strange in inherited.Values)
            strange.Dispose();
        inherited.Clear();
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        loop.Post(done.SetResult);
        await done.Task;
    }

    /// <summary>Becomes another program in this very process, which stays the containers' parent. Returns only when that failed; all goes on then.</summary>
    internal async Task<LinuxException> BecomeAsync(IReadOnlyList<string> arguments, IReadOnlyList<string> environment)
    {
        var resumed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        unpaused = resumed.Task;
        try
        {
            await LaunchesEndedAsync(CancellationToken.None);
            log.Becoming(arguments[0]);
            var failure = new TaskCompletionSource<LinuxException>(TaskCreationOptions.RunContinuationsAsynchronously);
            // On the loop's thread: no output is on its way from a FIFO to a log, no status between its collection and its note.
            loop.Post(() => failure.SetResult(Become(arguments, environment)));
            var reason = await failure.Task;
            log.BecomingFailed(reason.Message);
            return reason;
        }
        finally
        {
            resumed.SetResult();
        }
    }

    private LinuxException Become(IReadOnlyList<string> arguments, IReadOnlyList<string> environment)
    {
        var inputs = containers.Values.OfType<Container>().Select(c => (c.Id, File: c.Input?.Duplicate())).Where(i => i.File is not null).ToList();
        foreach (var (_, file) in inputs)
            Self.KeepOverExecute((int)file!.DangerousGetHandle(), keep: true);
        var failure = Self.Execute(arguments, [.. environment, ShimInputs.Variable(inputs.Select(i => (i.Id, (int)i.File!.DangerousGetHandle())))]);
        foreach (var (_, file) in inputs)
            file!.Dispose();
        return failure;
    }

    private async Task LaunchesEndedAsync(CancellationToken stop) => await Task.WhenAll(starting.Values).WaitAsync(stop);

    /// <summary>The cgroup of the container that the directory is of; none when it was a leftover.</summary>
    private IEnumerable<string> TakeOver(string own, CgroupLayout layout)
    {
        var notes = new ContainerNotes(own);
        if (notes.Launch is not { } launch || launch.Id != Path.GetFileName(own))
        {
            notes.Delete();
            log.LeftoverRemoved(own);
            return [];
        }
        var cgroup = Cgroup.Adopt(CgroupPlan.For(layout, launch.CgroupsPath, new OciResources()));
        if (notes.Started is not { } started)
        {
            // Nobody was told of it. Its process may still be on its way to its program: it goes with the group.
            cgroup.Remove();
            notes.Delete();
            log.LeftoverRemoved($"the half-made container {launch.Id}");
            return [];
        }
        if (Path.GetDirectoryName(launch.CgroupsPath) is { } parent)
            cgroupParents.TryAdd(parent, true);
        TakeOver(launch, started, cgroup, notes, own);
        return [launch.CgroupsPath];
    }

    private void TakeOver(LaunchNote launch, StartedNote started, Cgroup cgroup, ContainerNotes notes, string own)
    {
        var (output, input) = OpenStdio(launch, own);
        output.Resume();
        var pidFd = PidFd.Find(started.Pid);
        // In this order: what is true of the number while the descriptor is open is true of the process.
        var stat = pidFd is null ? null : ProcessStat.Read(started.Pid);
        var found = stat?.StartTime == started.StartTime;
        var container = new Container(
            launch.Id, started, found ? pidFd! : new SafeFileHandle(-1, ownsHandle: false),
            found && stat?.Parent == Environment.ProcessId ? Parent.This : Parent.Other, cgroup, output, input, notes, launcher.TraitsOf(launch));
        if (!found)
            pidFd?.Dispose();
        containers[launch.Id] = container;
        if (notes.Exit is { } exit)
        {
            loop.Post(() =>
            {
                output.Finish(loop);
                exits.Publish(container, exit);
            });
        }
        else if (found)
        {
            log.TookOver(container.Id, container.Pid);
            loop.Post(() => Watch(container));
        }
        else
        {
            log.EndedUnseen(container.Id);
            loop.Post(() => End(container, null));
        }
    }

    private (ContainerOutput Output, ContainerInput? Input) OpenStdio(LaunchNote launch, string own)
    {
        void LogFailed(Exception error) => log.LogBroken(error, launch.Id);
        inherited.Remove(launch.Id, out var way);
        if (launch.Traits.Terminal)
        {
            // Without a master the terminal is hung up, and what is on it has been told so.
            var master = way is null ? KernelFile.Open("/dev/null", KernelFile.ReadOnly) : Fifo.Duplicate(way);
            return (new ContainerOutput(launch.Log, master, null, new OutputSpool(own, SpoolFrom.Terminal), time, LogFailed),
                way is null ? null : new ContainerInput(way, once: false));
        }
        var output = new ContainerOutput(
            launch.Log, OpenReader(own, LaunchPlan.Stdout), OpenReader(own, LaunchPlan.Stderr), new OutputSpool(own, SpoolFrom.Fifos), time, LogFailed);
        return (output, way is null ? null : new ContainerInput(way, launch.Traits.StdinOnce));
    }

    private static SafeFileHandle OpenReader(string own, string name)
    {
        var path = $"{own}/{name}";
        Fifo.Make(path); // it is there, unless somebody took it away
        return KernelFile.Open(path, KernelFile.ReadOnly | KernelFile.NonBlocking);
    }

    /// <summary>Groups of nobody: a launch that had no note yet, a container whose directory was taken away.</summary>
    private void RemoveStrangers(CgroupLayout layout, string root, IReadOnlyCollection<string> kept)
    {
        var found = layout.Legacy.Select(h => h.MountPoint).Append(layout.Unified).OfType<string>().Select(mount => mount + root)
            .Where(Directory.Exists).SelectMany(Directory.EnumerateDirectories).Select(d => $"{root}/{Path.GetFileName(d)}")
            .Where(path => path != $"{root}/{ShimMain.GroupName}").Distinct(StringComparer.Ordinal).ToList();
        foreach (var path in found)
        {
            if (kept.Contains(path))
                continue;
            if (kept.Any(k => k.StartsWith($"{path}/", StringComparison.Ordinal)))
            {
                RemoveStrangers(layout, path, kept);
                continue;
            }
            TryRemoving($"the cgroup {path}", () =>
            {
                Cgroup.Adopt(CgroupPlan.For(layout, path, new OciResources())).Remove();
                log.LeftoverRemoved($"the cgroup {path}");
            });
        }
    }

    private void TryRemoving(string subject, Action work)
    {
        try
        {
            work();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException or RuntimeException)
        {
            log.LeftoverRemains(subject, error.Message);
        }
    }
}
