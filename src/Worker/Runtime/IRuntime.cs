using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Runtime;

/// <summary>Runs containers. One implementation speaks to the host's shim, one is the tests' fake.</summary>
internal interface IRuntime
{
    /// <summary>Creates and starts a container in one round trip; returns once its program has been executed.</summary>
    /// <exception cref="RuntimeException">It could not be started; nothing of it is left.</exception>
    Task<StartedContainer> StartAsync(LaunchRequest request, CancellationToken stop);

    /// <summary>Sends a signal to the container's first process; one that ended already is no error.</summary>
    /// <exception cref="RuntimeException">There is no such container.</exception>
    Task SignalAsync(string id, int signal, CancellationToken stop);

    /// <summary>Kills what is left, closes the log, removes cgroups and forgets the exit. Deleting what is not there is no error.</summary>
    Task DeleteAsync(string id, CancellationToken stop);

    /// <summary>Every container that is running or whose exit has not been deleted.</summary>
    Task<IReadOnlyList<ContainerRecord>> ListAsync(CancellationToken stop);

    /// <summary>First every exit that is not deleted yet, then each as it happens: a restarted daemon misses none, and may see one twice.</summary>
    IAsyncEnumerable<ContainerExit> WatchExitsAsync(CancellationToken stop);

    /// <summary>Runs a further program in a running container; returns once it has been executed.</summary>
    /// <exception cref="RuntimeException">It could not be: 127 and 126 as for a start.</exception>
    Task<IExecSession> ExecAsync(string id, ExecLaunch launch, CancellationToken stop);

    /// <summary>Joins the container's own stdio. One that the runtime does not know is about to be started: the session waits for that.</summary>
    /// <exception cref="RuntimeException">The container has ended.</exception>
    Task<IAttachSession> AttachAsync(string id, CancellationToken stop);

    /// <summary>Sets the size of the container's terminal.</summary>
    /// <exception cref="RuntimeException">There is no such container, it does not run or it has no terminal.</exception>
    Task ResizeAsync(string id, int rows, int columns, CancellationToken stop);

    /// <summary>Makes every process of the container stand still; returns when all do. One that stands still already is no error.</summary>
    /// <exception cref="RuntimeException">There is no such container, it does not run, or it cannot be frozen.</exception>
    Task PauseAsync(string id, CancellationToken stop);

    /// <summary>Lets the processes of a container go on.</summary>
    /// <exception cref="RuntimeException">There is no such container.</exception>
    Task ResumeAsync(string id, CancellationToken stop);

    /// <summary>The id of each container that runs out of memory from now on, as it happens; a container may live on.</summary>
    IAsyncEnumerable<string> WatchOutOfMemoryAsync(CancellationToken stop);

    /// <summary>Gives a running container other limits; those that are absent stay. Gives what cannot be held on this host, a sentence each.</summary>
    /// <exception cref="RuntimeException">There is no such container, or the kernel refused: then all limits are as they were.</exception>
    Task<IReadOnlyList<string>> UpdateAsync(string id, OciResources resources, CancellationToken stop);

    /// <summary>What the container has used so far.</summary>
    /// <exception cref="RuntimeException">There is no such container, or it does not run.</exception>
    Task<ContainerUsage> ReadUsageAsync(string id, CancellationToken stop);

    /// <summary>The host's ids of everything that runs in the container.</summary>
    /// <exception cref="RuntimeException">There is no such container, or it does not run.</exception>
    Task<IReadOnlyList<int>> ListProcessesAsync(string id, CancellationToken stop);
}
