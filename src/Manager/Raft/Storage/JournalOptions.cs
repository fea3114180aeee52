using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Orchestrator.Manager.Raft.Storage;

/// <summary>Where a journal is and what opens it.</summary>
internal sealed record JournalOptions
{
    /// <summary>The journal's directory on this host: the keys, and the SQLite file where no server is named. Made if missing.</summary>
    internal required string Directory { get; init; }

    /// <summary>Whose events these are: the node's id. A server keeps many in one table.</summary>
    internal required string PersistenceId { get; init; }

    internal TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary><c>postgres://…</c>; null: SQLite in the directory. It may hold a password: never shown.</summary>
    internal string? Server { get; init; }

    /// <summary>32 bytes, or null when the operator has given none.</summary>
    internal byte[]? UnlockKey { get; init; }

    /// <summary>How long writes wait for a server that is away before the manager stops.</summary>
    internal TimeSpan ServerPatience
    {
        get;
        init => field = value > TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(value));
    } = TimeSpan.FromSeconds(60);

    /// <summary>Makes what was renamed in a directory durable (fsync of the directory): Linux's part, given by who composes.</summary>
    internal Action<string> SyncDirectory { get; init; } = static _ => { };

    internal ILogger Log { get; init; } = NullLogger.Instance;

    public override string ToString() => $"journal of {PersistenceId} in {Directory}";
}
