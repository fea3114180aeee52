using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Runtime.Cgroups;
using Orchestrator.Worker.Runtime.Consoles;
using Orchestrator.Worker.Runtime.Plan;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>A container whose program was executed, until it is deleted.</summary>
internal sealed class Container(string id, int pid, SafeFileHandle pidFd, DateTimeOffset startedAt, Cgroup cgroup, ContainerOutput output, ContainerInput? input, string directory, Traits traits)
{
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal string Id { get; } = id;

    internal int Pid { get; } = pid;

    internal SafeFileHandle PidFd { get; } = pidFd;

    internal DateTimeOffset StartedAt { get; } = startedAt;

    internal Cgroup Cgroup { get; } = cgroup;

    internal ContainerOutput Output { get; } = output;

    /// <summary>Holds its FIFOs.</summary>
    internal string Directory { get; } = directory;

    /// <summary>Its stdin or terminal, if it has one.</summary>
    internal ContainerInput? Input { get; } = input;

    internal Traits Traits { get; } = traits;

    /// <summary>The event loop's registration of <see cref="PidFd"/>.</summary>
    internal ulong Token { get; set; }

    /// <summary>Set once, under the exit feed's lock.</summary>
    internal ContainerExit? Exit { get; private set; }

    /// <summary>Completes when the exit is known and the log complete.</summary>
    internal Task Ended => ended.Task;

    internal void SetExit(ContainerExit exit)
    {
        Exit = exit;
        ended.SetResult();
    }
}
