using Orchestrator.Shared.Model;

namespace Orchestrator.Worker.Volumes;

/// <summary>Why a volume's operation was refused or failed.</summary>
internal enum VolumeFault
{
    /// <summary>No volume has the name (404).</summary>
    NotFound,

    /// <summary>A container uses it, or another one of the name is different (409).</summary>
    Conflict,

    /// <summary>The request cannot work (400).</summary>
    Invalid,

    /// <summary>The machine refused (500).</summary>
    Failed,
}

/// <summary>A volume's operation that did not happen; the message is for the operator.</summary>
internal sealed class VolumeException(VolumeFault fault, string message, Exception? inner = null) : Exception(message, inner)
{
    public VolumeFault Fault { get; } = fault;

    public IReadOnlyList<Problem> Problems { get; private init; } = [];

    internal static VolumeException NotFound(string name) => new(VolumeFault.NotFound, $"get {name}: no such volume");

    internal static VolumeException Invalid(IReadOnlyList<Problem> problems) =>
        new(VolumeFault.Invalid, string.Join("; ", problems.Select(p => p.Message))) { Problems = problems };
}
