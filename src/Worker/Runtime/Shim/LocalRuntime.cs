using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Runtime.Cgroups;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>The runtime itself, inside the process that is the containers' parent.</summary>
internal sealed partial class LocalRuntime : IRuntime, IDisposable
{
    private const int Sigkill = 9;
    private const int LaunchThreads = 6;
    private const int UnknownExit = 255;

    private readonly string directory;
    private readonly ILogger log;
    private readonly TimeProvider time;
    private readonly Launcher launcher;
    private readonly WorkThreads threads = new(LaunchThreads);
    private readonly ExitFeed exits = new();
    private readonly EventLoop loop;

    // null: being started or removed, the id is taken
    private readonly ConcurrentDictionary<string, Container?> containers = new();
    private readonly ConcurrentDictionary<string, Lazy<Task>> deletions = new();
    private readonly ConcurrentDictionary<string, Task> starting = new();
    private readonly ConcurrentDictionary<string, bool> cgroupParents = new();
    private readonly TaskCompletionSource<Exception> broken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int launching;
    private bool adoptsOrphans; // the loop's

    /// <param name="directory">Where the FIFOs lie.</param>
    /// <param name="time">Stamps starts, exits and log lines.</param>
    /// <param name="log">What happened.</param>
    internal LocalRuntime(string directory, TimeProvider time, ILogger log)
    {
        this.directory = directory;
        this.log = log;
        this.time = time;
        launcher = new Launcher(directory, time);
        loop = new EventLoop(error =>
        {
            log.LoopDied(error);
            exits.Fail(error);
            broken.TrySetResult(error);
        });
    }

    /// <summary>Completes when the event loop has died: containers would end unseen, so the process must end too.</summary>
    internal Task<Exception> Broken => broken.Task;

    /// <summary>Containers that run or are being started.</summary>
    internal int Running => containers.Values.Count(c => c is null || c.Exit is null);

    public async Task<StartedContainer> StartAsync(LaunchRequest request, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        await unpaused;
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!starting.TryAdd(request.Id, ended.Task))
            throw new RuntimeException($"A container {request.Id} is being started already.");
        try
        {
            if (!containers.TryAdd(request.Id, null))
                throw new RuntimeException($"A container {request.Id} exists already.");
            var container = await threads.RunAsync(() => Launch(request));
            return new StartedContainer(container.Id, container.Pid, container.StartedAt);
        }
        finally
        {
            starting.TryRemove(request.Id, out _);
            ended.SetResult();
        }
    }

    public Task SignalAsync(string id, int signal, CancellationToken stop)
    {
        var container = Find(id) ?? throw new RuntimeException($"There is no container {id}.");
        if (container.Exit is null)
            PidFd.Signal(container.PidFd, signal);
        return Task.CompletedTask;
    }

    public Task DeleteAsync(string id, CancellationToken stop)
    {
        if (Find(id) is not { } container)
        {
            return containers.ContainsKey(id)
                ? throw new RuntimeException($"The container {id} is being started.")
                : Task.CompletedTask;
        }
        return deletions.GetOrAdd(id, _ => new Lazy<Task>(() => RemoveAsync(container))).Value.WaitAsync(stop);
    }

    /// <summary>What is being started when this is asked is told as started, or not at all: a daemon that has just begun removes what it does not find.</summary>
    public async Task<IReadOnlyList<ContainerRecord>> ListAsync(CancellationToken stop)
    {
        await LaunchesEndedAsync(stop);
        return [.. containers.Values.OfType<Container>().Select(c => new ContainerRecord(c.Id, c.Pid, c.StartedAt, c.Exit) { Paused = c.Exit is null && c.Cgroup.IsFrozen })];
    }

    public IAsyncEnumerable<ContainerExit> WatchExitsAsync(CancellationToken stop) =>
        exits.WatchAsync(() => containers.Values.OfType<Container>(), stop);

    /// <summary>Collects processes that became ours when their parents died (containers that share the host's pid namespace).</summary>
    /// <remarks>Only where every child of the process is this runtime's.</remarks>
    internal void ReapOrphans() => loop.Post(() =>
    {
        adoptsOrphans = true;
        CollectOrphans();
    });

    public void Dispose()
    {
        threads.Dispose();
        execThreads.Dispose();
        loop.Dispose();
        oomWatch?.Dispose();
        launcher.Dispose();
        foreach (var parent in cgroupParents.Keys)
        {
            foreach (var mount in launcher.CgroupMounts)
                CgroupParents.RemoveEmpty(mount + parent);
        }
    }

    private Container? Find(string id) => containers.TryGetValue(id, out var container) ? container : null;

    private Container Launch(LaunchRequest request)
    {
        Interlocked.Increment(ref launching);
        try
        {
            if (Path.GetDirectoryName(request.Spec.Linux.CgroupsPath) is { } parent)
                cgroupParents.TryAdd(parent, true); // also of a launch that fails
            var (container, warnings) = launcher.Launch(request, error => log.LogBroken(error, request.Id));
            foreach (var warning in warnings)
                log.Warned(request.Id, warning);
            containers[request.Id] = container;
            loop.Post(() => Watch(container));
            log.Started(container.Id, container.Pid);
            return container;
        }
        catch
        {
            containers.TryRemove(request.Id, out _);
            throw;
        }
        finally
        {
            Interlocked.Decrement(ref launching);
        }
    }

    private void Watch(Container container)
    {
        BeginSessions(container);
        container.Output.Start(loop);
        WatchMemory(container);
        container.Token = loop.Watch(container.PidFd, () => Collect(container));
    }

    private void Collect(Container container)
    {
        var status = container.Parent == Parent.This ? PidFd.TryWait(container.PidFd) : PidFd.StatusOfOther(container.PidFd, container.Pid);
        if (status is null && (container.Parent == Parent.This || !PidFd.HasEnded(container.PidFd)))
            return;
        loop.Forget(container.PidFd, container.Token);
        oomWatch?.Stop(container);
        End(container, status);
        if (adoptsOrphans)
            CollectOrphans(); // this one may have hidden others
    }

    /// <summary>Completes the log, notes the exit, then tells it. No status: nobody was there to collect it.</summary>
    private void End(Container container, ChildStatus? status)
    {
        container.Output.Finish(loop);
        var exit = new ContainerExit
        {
            Id = container.Id,
            Pid = container.Pid,
            ExitCode = status?.ExitCode ?? UnknownExit,
            Signal = status is { Signal: > 0 } by ? by.Signal : null,
            OomKilled = container.Cgroup.OomKills() > 0,
            ExitedAt = time.GetUtcNow(),
            Unknown = status is null,
        };
        Tell(container, exit);
    }

    private void Tell(Container container, ContainerExit exit)
    {
        try
        {
            container.Notes.Write(exit);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            log.NotNoted(error, container.Id); // told to the daemon all the same, which writes it down too
        }
        log.Ended(exit.Id, exit.ExitCode);
        exits.Publish(container, exit);
    }

    private async Task RemoveAsync(Container container)
    {
        try
        {
            if (container.Exit is null)
            {
                await threads.RunAsync(() =>
                {
                    PidFd.Signal(container.PidFd, Sigkill); // first, so that the exit is this one's and not its children's
                    container.Cgroup.Kill();
                    return true;
                });
                if (await Task.WhenAny(container.Ended, Broken) == Broken)
                    throw new RuntimeException($"delete {container.Id}: the runtime is broken", await Broken);
            }
            await threads.RunAsync(() =>
            {
                container.Cgroup.Remove();
                container.Notes.Delete();
                container.PidFd.Dispose();
                return true;
            });
            containers.TryRemove(container.Id, out _);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            log.NotRemoved(error, container.Id);
            throw new RuntimeException($"delete {container.Id}: {error.Message}", error);
        }
        finally
        {
            deletions.TryRemove(container.Id, out _);
        }
    }

    private void CollectOrphans()
    {
        // In this order: a process just launched that has ended already is no orphan, and is in the table once no launch goes on.
        while (PidFd.FindEnded() is { } pid && Volatile.Read(ref launching) == 0 && containers.Values.All(c => c is null || c.Pid != pid)
            && execs.Values.All(e => e is null || e.Pid != pid))
            PidFd.Reap(pid);
    }
}
