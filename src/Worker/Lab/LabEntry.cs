using System.Collections.Immutable;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Worker.Lab;

/// <summary>A program to run inside a host.</summary>
internal sealed record LabEntry
{
    public required ImmutableArray<string> Arguments { get; init; }
    public required ImmutableArray<string> Environment { get; init; }

    /// <summary>Where it begins; the root when the host has no such directory.</summary>
    public string Folder { get; init; } = "/";

    /// <summary>A process group of its own in our session, so that it can have the terminal's keys: our own group is not known in the host.</summary>
    public bool OwnGroup { get; init; }

    /// <summary>A program in the background: a session of its own, nothing to read, and what it says goes here. None: it has our stdio and terminal.</summary>
    public SafeFileHandle? Log { get; init; }
}
