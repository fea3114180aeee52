using System.Collections.Concurrent;
using Orchestrator.Worker.Linux;
using Orchestrator.Worker.Runtime.Consoles;
using Orchestrator.Worker.Runtime.Plan;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>
/// Further programs in containers. They are launched on threads of their own: entering a container can take as long as its file systems do, and
/// neither the loop nor other containers' starts wait for that.
/// </summary>
internal sealed partial class LocalRuntime
{
    private const int ExecThreads = 4;

    private readonly WorkThreads execThreads = new(ExecThreads);
    private readonly ConcurrentDictionary<(string Container, string Exec), RunningExec?> execs = new(); // null: being launched

    public async Task<IExecSession> ExecAsync(string id, ExecLaunch launch, CancellationToken stop)
    {
        // Whoever awaits goes on elsewhere than on the launching thread and, at the end, on the loop's.
        var (exec, stdio) = await LaunchExecAsync(id, launch, stop).ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        Watch(exec);
        return new ExecSession(exec.Pid, stdio, ElsewhereAsync(exec.Ended), loop, number => Kill(exec, number), () => ValueTask.CompletedTask);
    }

    private static async Task<ContainerExit> ElsewhereAsync(Task<ContainerExit> ended) => await ended.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);

    /// <summary>
    /// Executes the program; the caller owns its stdio and calls <see cref="Watch(RunningExec)"/> at once, whatever becomes of its own work. What awaits this, or the end, goes on on the launching thread and on
    /// the loop's: it says a few words on a socket there and does nothing that blocks.
    /// </summary>
    internal async Task<(RunningExec Exec, StdioFiles Stdio)> LaunchExecAsync(string id, ExecLaunch launch, CancellationToken stop)
    {
        stop.ThrowIfCancellationRequested();
        var container = Find(id) ?? throw new RuntimeException($"There is no container {id}.") { ExitCode = 126 };
        if (container.Exit is not null)
            throw EnterPlan.Ended(id);
        if (!execs.TryAdd((id, launch.ExecId), null))
            throw new RuntimeException($"An exec {launch.ExecId} runs already in the container {id}.") { ExitCode = 126 };
        return await execThreads.RunAsync(() => Launch(container, launch), TaskCreationOptions.None);
    }

    /// <summary>Signals an exec by its name; one that ended is no error.</summary>
    internal Task SignalExecAsync(string id, string exec, int number) =>
        execs.TryGetValue((id, exec), out var found) && found is not null ? Kill(found, number) : Task.CompletedTask;

    private static Task Kill(RunningExec exec, int number)
    {
        try
        {
            if (!exec.Ended.IsCompleted)
                PidFd.Signal(exec.PidFd, number);
        }
        catch (ObjectDisposedException)
        {
            // collected just now
        }
        return Task.CompletedTask;
    }

    private (RunningExec Exec, StdioFiles Stdio) Launch(Container container, ExecLaunch launch)
    {
        var key = (container.Id, launch.ExecId);
        Interlocked.Increment(ref launching);
        try
        {
            if (container.Cgroup.IsFrozen)
                throw new RuntimeException($"Container {container.Id} is paused, unpause the container before exec") { ExitCode = 126 };
            var (process, stdio, warnings) = launcher.Exec(container, launch);
            foreach (var warning in warnings)
                log.Warned(container.Id, warning);
            var exec = new RunningExec(container.Id, launch.ExecId, process.Pid, process.PidFd);
            execs[key] = exec;
            return (exec, stdio);
        }
        catch
        {
            execs.TryRemove(key, out _);
            throw;
        }
        finally
        {
            Interlocked.Decrement(ref launching);
        }
    }

    /// <summary>From now on its end is noticed. A step of its own, since who asked for the exec is told of its start first: the loop's waking takes the processor.</summary>
    internal void Watch(RunningExec exec) => loop.Post(() => exec.Token = loop.Watch(exec.PidFd, () => Collect(exec)));

    private void Collect(RunningExec exec)
    {
        if (PidFd.TryWait(exec.PidFd) is not { } status)
            return;
        loop.Forget(exec.PidFd, exec.Token);
        exec.PidFd.Dispose();
        execs.TryRemove((exec.Container, exec.Id), out _);
        exec.SetExit(new ContainerExit
        {
            Id = exec.Id,
            Pid = exec.Pid,
            ExitCode = status.ExitCode,
            Signal = status.Signal == 0 ? null : status.Signal,
            ExitedAt = time.GetUtcNow(),
        });
        if (adoptsOrphans)
            CollectOrphans();
    }
}
