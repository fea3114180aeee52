namespace Orchestrator.Manager.Raft;

/// <summary>The state machine that the log drives; every member method runs on the node loop's context, one at a time.</summary>
internal interface IReplicatedMachine
{
    /// <summary>Applies one committed entry. Called in log order; an index is skipped when Raft used it for itself. Must not throw for any entry that was proposed.</summary>
    void Apply(ulong index, ReadOnlyMemory<byte> entry);

    /// <summary>Takes an immutable view of the state after the last applied entry; cheap, because the loop waits for it.</summary>
    ISnapshot Capture();

    /// <summary>Replaces the whole state by one that <see cref="ISnapshot.WriteAsync"/> wrote.</summary>
    Task RestoreAsync(Stream snapshot, CancellationToken stop);
}

/// <summary>An immutable view of the machine's state, written while the machine goes on.</summary>
internal interface ISnapshot
{
    Task WriteAsync(Stream target, CancellationToken stop);
}
