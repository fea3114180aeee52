using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Runtime;

/// <summary>A further program in a container that runs: it joins the container's namespaces, groups and system call filter.</summary>
internal sealed record ExecLaunch
{
    /// <summary>Names the exec within its container; that of <see cref="IExecSession.Ended"/>'s exit.</summary>
    public required string ExecId { get; init; }

    /// <summary>
    /// The whole process: arguments, environment, directory, user, capabilities, no_new_privs. Nothing is taken over from the container's own
    /// process; with <see cref="OciProcess.Terminal"/> it gets a terminal of the container's.
    /// </summary>
    public required OciProcess Process { get; init; }

    /// <summary>Give it an input; without, its stdin is empty.</summary>
    public bool Stdin { get; init; }

    /// <summary>Carry its stdout; without, it goes nowhere.</summary>
    public bool Stdout { get; init; }

    public bool Stderr { get; init; }

    /// <summary>The terminal's size at first; absent: 0 by 0, as the kernel makes it.</summary>
    public ConsoleSize? Console { get; init; }
}

/// <summary>A terminal's size in characters.</summary>
internal readonly record struct ConsoleSize(int Rows, int Columns);
