namespace Orchestrator.Shared.Rpc;

/// <summary>Who may call a method; checked before its handler runs and, in streams, at every message.</summary>
public enum RpcAccess
{
    /// <summary>Also who has no certificate: the method itself asks for a proof, or tells nothing that is not public.</summary>
    Anyone,

    /// <summary>A node of this cluster. Which node it is stands in <see cref="RpcServerCall.Peer"/>: what is somebody's own is for the handler to check.</summary>
    Member,

    /// <summary>A node that is a manager by its certificate and by the cluster's state.</summary>
    Manager,
}
