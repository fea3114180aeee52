using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>An exec that was started and whose end has not been collected.</summary>
internal sealed class RunningExec(string container, string id, int pid, SafeFileHandle pidFd)
{
    private readonly TaskCompletionSource<ContainerExit> ended = new();

    internal string Container { get; } = container;

    internal string Id { get; } = id;

    internal int Pid { get; } = pid;

    internal SafeFileHandle PidFd { get; } = pidFd;

    /// <summary>The event loop's registration of <see cref="PidFd"/>.</summary>
    internal ulong Token { get; set; }

    /// <summary>What awaits it goes on on the event loop's thread and must not block it.</summary>
    internal Task<ContainerExit> Ended => ended.Task;

    internal void SetExit(ContainerExit exit) => ended.SetResult(exit);

    internal void Fail(Exception reason) => ended.TrySetException(reason);
}
