using Microsoft.Win32.SafeHandles;
using Orchestrator.Worker.Runtime.Cgroups;
using Orchestrator.Worker.Runtime.Consoles;
using Orchestrator.Worker.Runtime.Plan;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>Whose child a container's first process is: its status is the parent's to collect.</summary>
internal enum Parent
{
    This,

    /// <summary>The shim that started it has died; whoever reaps orphans on this host collects it.</summary>
    Other,
}

/// <summary>A container whose program was executed, until it is deleted.</summary>
internal sealed class Container(
    string id, StartedNote started, SafeFileHandle pidFd, Parent parent, Cgroup cgroup, ContainerOutput output, ContainerInput? input,
    ContainerNotes notes, Traits traits)
{
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal string Id { get; } = id;

    internal int Pid { get; } = started.Pid;

    internal SafeFileHandle PidFd { get; } = pidFd;

    internal DateTimeOffset StartedAt { get; } = started.StartedAt;

    internal Cgroup Cgroup { get; } = cgroup;

    internal ContainerOutput Output { get; } = output;

    internal Parent Parent { get; } = parent;

    /// <summary>Beside its FIFOs.</summary>
    internal ContainerNotes Notes { get; } = notes;

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
