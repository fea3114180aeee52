using Orchestrator.Shared.Security;

namespace Orchestrator.Cli.Daemon.Reach;

/// <summary>How this member reaches the others.</summary>
internal sealed class NodeReach(CredentialBox credentials, TimeProvider time, CancellationToken stopping)
{
    internal NodeLinks Links { get; } = new(credentials, time);

    internal NodeEngine Engine => field ??= new(Links);

    /// <summary>Fires when this node leaves its cluster or the daemon ends.</summary>
    internal CancellationToken Stopping => stopping;
}
