using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.State;

/// <summary>
/// Certificates that live on and count no more. Told apart from nodes that this manager has not heard of yet: one that lags must go on
/// hearing a leader that joined meanwhile, or it would never catch up.
/// </summary>
internal sealed record Revocation
{
    public required NodeId NodeId { get; init; }

    /// <summary>True: the node was removed, and no certificate of it counts. False: it was demoted, and its manager's certificates do not.</summary>
    public bool Removed { get; init; }

    /// <summary>Certificates issued later count: the node may have been promoted again.</summary>
    public required DateTimeOffset At { get; init; }

    /// <summary>When the last of them has expired by itself and this may be forgotten.</summary>
    public required DateTimeOffset Until { get; init; }
}

internal enum RevocationKind
{
    /// <summary>Its manager's certificates.</summary>
    Demoted,

    /// <summary>All of its certificates.</summary>
    Removed,
}
