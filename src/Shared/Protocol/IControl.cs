using Orchestrator.Shared.Model;

namespace Orchestrator.Shared.Protocol;

/// <summary>What managers ask of their leader. A manager that does not lead answers <c>Unavailable</c>, naming the leader it knows.</summary>
/// <remarks>Spoken over gRPC between nodes, in process in the simulation.</remarks>
public interface IControl
{
    /// <summary>Takes another manager's command into the log; completes when it is applied on the leader. A refusal is an answer, not an error.</summary>
    Task<ProposeReply> ProposeAsync(ProposeRequest request, CancellationToken stop);

    /// <summary>
    /// Takes a manager that has started into the consensus, and puts out the number that its node had there before; completes when it votes.
    /// One that votes already: at once.
    /// </summary>
    Task<AdmitReply> AdmitAsync(AdmitRequest request, CancellationToken stop);

    /// <summary>A node says farewell: it is down from now on, and a manager leaves the consensus first.</summary>
    Task<LeaveReply> LeaveAsync(LeaveRequest request, CancellationToken stop);
}

/// <summary>A command as the log holds it.</summary>
public sealed record ProposeRequest
{
    /// <summary>JSON of the manager's own command, with the id by which a repetition is known.</summary>
    public byte[] Command { get => field ?? []; init; } = [];

    /// <summary>Without the bytes, which may hold a secret.</summary>
    public override string ToString() => $"a command of {Command.Length} bytes";
}

public sealed record ProposeReply
{
    /// <summary>JSON of the outcome; its index is what the asker waits for in its own state.</summary>
    public byte[] Outcome { get => field ?? []; init; } = [];
}

public sealed record AdmitRequest
{
    public required NodeId NodeId { get; init; }

    /// <summary>The number that goes with its journal.</summary>
    public required ulong Member { get; init; }

    /// <summary>Where it answers other managers, <c>host:port</c>.</summary>
    public string Address { get => field ?? ""; init; } = "";
}

public sealed record AdmitReply;

public sealed record LeaveRequest
{
    public required NodeId NodeId { get; init; }
}

public sealed record LeaveReply;
