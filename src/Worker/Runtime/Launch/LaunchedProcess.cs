using System.Collections.Immutable;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Runtime.Launch;

/// <summary>A child whose program has been executed; the owner waits for it and closes the descriptor.</summary>
internal sealed record LaunchedProcess(int Pid, SafeFileHandle PidFd);

/// <summary>A launch program failed at a step; the process is gone.</summary>
internal sealed class LaunchFailedException(LaunchStep step, int errno, ImmutableDictionary<string, long> results)
    : Exception($"{step.Name}: {new System.ComponentModel.Win32Exception(errno).Message}")
{
    internal LaunchStep Step { get; } = step;

    internal int Errno { get; } = errno;

    /// <summary>Results kept before the failure, by name; a failed call's is minus its errno.</summary>
    internal ImmutableDictionary<string, long> Results { get; } = results;
}
