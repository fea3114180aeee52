using Orchestrator.Shared.Model;
using Orchestrator.Worker.Runtime;

namespace Orchestrator.Worker.Containers.Execs;

/// <summary>A further program of a container: asked for, then started once, then ended and remembered for a while.</summary>
internal sealed class Exec(string id, string containerId, ExecCreateRequest request)
{
    private readonly TaskCompletionSource released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource done = new();
    private volatile ExecState state = new(ExecStage.Created);
    private int begun;

    internal string Id { get; } = id;

    internal string ContainerId { get; } = containerId;

    internal ExecCreateRequest Request { get; } = request;

    /// <summary>Replaced as a whole.</summary>
    internal ExecState State => state;

    /// <summary>The running program's stdio, from its start on.</summary>
    internal IExecSession? Session { get; private set; }

    /// <summary>Completes when nobody listens to it any more: its output is thrown away from then on.</summary>
    internal Task Released => released.Task;

    /// <summary>True for the first who asks: a program is started once.</summary>
    internal bool TryBegin() => Interlocked.Exchange(ref begun, 1) == 0;

    internal void Started(IExecSession session)
    {
        Session = session;
        state = new ExecState(ExecStage.Running, session.Pid);
    }

    /// <summary>Completes when the exit code is known; who awaits it goes on on the thread that learnt it, and does nothing long there.</summary>
    internal Task Done => done.Task;

    internal void Ended(int exitCode, DateTimeOffset at)
    {
        state = new ExecState(ExecStage.Ended, 0, exitCode, at);
        done.TrySetResult();
    }

    internal void Release() => released.TrySetResult();
}

internal enum ExecStage
{
    Created,
    Running,
    Ended,
}

/// <summary>How an exec fares.</summary>
/// <param name="Stage">Where it is.</param>
/// <param name="Pid">As the host counts; 0 while it does not run.</param>
/// <param name="ExitCode">Null before its end.</param>
/// <param name="EndedAt">Null before its end.</param>
internal sealed record ExecState(ExecStage Stage, int Pid = 0, int? ExitCode = null, DateTimeOffset? EndedAt = null);
