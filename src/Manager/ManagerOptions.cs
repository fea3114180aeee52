using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Shared.Rpc;

namespace Orchestrator.Manager;

/// <summary>How a manager's log begins.</summary>
internal enum ManagerBirth
{
    /// <summary>As the cluster's first: it votes alone.</summary>
    First,

    /// <summary>Empty: a leader tells it everything. Also at every later start.</summary>
    Joining,

    /// <summary>With what the journal holds, and this manager as the only one.</summary>
    Anew,
}

/// <summary>What a manager needs to know of its host.</summary>
internal sealed record ManagerOptions
{
    internal required NodeId NodeId { get; init; }

    /// <summary>The number that was drawn for its journal; null: that began before numbers were drawn, and the node's id makes it.</summary>
    internal ulong? Member { get; init; }

    /// <summary>The daemon's data root; the manager keeps its journal in <c>manager/</c> below it.</summary>
    internal required string DataRoot { get; init; }

    /// <summary>The journal's server, <c>postgres://…</c>; null: SQLite below the data root.</summary>
    internal string? Journal { get; init; }

    /// <summary>What opens a journal whose keys are locked: 32 bytes, from the operator.</summary>
    internal byte[]? UnlockKey { get; init; }

    /// <summary>Makes what was renamed in a directory durable: Linux's part, by who composes.</summary>
    internal Action<string> SyncDirectory { get; init; } = static _ => { };

    /// <summary>How this manager's log begins, when there is none yet; and whether it begins anew.</summary>
    internal ManagerBirth Birth { get; init; }

    /// <summary>Where other nodes reach this one, <c>host:port</c>.</summary>
    internal string Address { get; init; } = "";

    /// <summary>Opens a connection to a manager; null: there are no others.</summary>
    internal Func<ManagerPeer, RpcConnect>? Connect { get; init; }

    /// <summary>The managers that this node was told of; asked while the state names none.</summary>
    internal Func<IReadOnlyList<ManagerPeer>> Told { get; init; } = () => [];

    internal required ILoggerFactory Logs { get; init; }

    internal TimeProvider Time { get; init; } = TimeProvider.System;

    internal RandomFill Random { get; init; } = RandomNumberGenerator.Fill;

    public override string ToString() => $"manager {NodeId} in {DataRoot}";
}
