using System.IO.Pipelines;

namespace Orchestrator.Shared.Http;

/// <summary>A call's way to its connection's bytes, for the calls of the Engine API that leave HTTP behind: attach and exec.</summary>
public interface IHijackFeature
{
    /// <summary>
    /// Takes the connection from the server. Call it once the body has been read and before anything is answered; what the server still says
    /// about this call is dropped, and the connection ends with the call.
    /// </summary>
    HijackedConnection Take();

    /// <summary>A call has taken it.</summary>
    bool IsTaken { get; }
}

/// <summary>The bytes of a connection that speaks HTTP no more.</summary>
/// <param name="Input">What the client sends; its end may be no more than the end of what it has to say.</param>
/// <param name="Output">What it gets.</param>
/// <param name="Stopping">Cancelled when the server wants to stop.</param>
public sealed record HijackedConnection(PipeReader Input, PipeWriter Output, CancellationToken Stopping);
