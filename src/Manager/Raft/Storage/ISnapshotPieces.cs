using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Manager.Raft.Storage;

/// <summary>A stored snapshot, read in pieces.</summary>
internal interface ISnapshotReader : IAsyncDisposable
{
    SnapshotMeta Meta { get; }

    /// <summary>Bytes of the state.</summary>
    long Length { get; }

    /// <summary>Some of the state's bytes from an offset on; none at or after its end. The pieces of one snapshot are the same each time it is read.</summary>
    /// <exception cref="JournalException">What is stored is damaged.</exception>
    Task<ReadOnlyMemory<byte>> ReadAsync(long offset, CancellationToken stop);
}

/// <summary>A snapshot that is being written. Who disposes it without having completed it drops it; so does a crash.</summary>
internal interface ISnapshotWriter : IAsyncDisposable
{
    SnapshotMeta Meta { get; }

    /// <summary>Bytes appended so far.</summary>
    long Length { get; }

    /// <summary>Takes the next bytes, of any length; completes when there is room for more. The memory may be used again then.</summary>
    Task AppendAsync(ReadOnlyMemory<byte> bytes);

    /// <summary>As <see cref="IJournal.SaveSnapshotAsync"/>, with what was appended.</summary>
    Task SaveAsync(ulong compactThrough);

    /// <summary>As <see cref="IJournal.InstallSnapshotAsync"/>, with what was appended.</summary>
    Task InstallAsync(HardState hardState);
}
