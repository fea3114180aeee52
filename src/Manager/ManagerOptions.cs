using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager;

/// <summary>What a manager needs to know of its host.</summary>
internal sealed record ManagerOptions
{
    internal required NodeId NodeId { get; init; }

    /// <summary>The daemon's data root; the manager keeps its journal in <c>manager/</c> below it.</summary>
    internal required string DataRoot { get; init; }

    /// <summary>The journal's server, <c>postgres://…</c>; null: SQLite below the data root.</summary>
    internal string? Journal { get; init; }

    /// <summary>What opens a journal whose keys are locked: 32 bytes, from the operator.</summary>
    internal byte[]? UnlockKey { get; init; }

    internal required ILoggerFactory Logs { get; init; }

    internal TimeProvider Time { get; init; } = TimeProvider.System;

    internal RandomFill Random { get; init; } = RandomNumberGenerator.Fill;

    public override string ToString() => $"manager {NodeId} in {DataRoot}";
}
