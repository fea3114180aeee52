using Microsoft.Extensions.Logging;
using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Manager.Raft.Node;

internal static partial class NodeLog
{
    [LoggerMessage(1, LogLevel.Information, "Manager {Self} starts from snapshot {Snapshot} and entries through {Last}, term {Term}")]
    public static partial void Starts(this ILogger log, PeerId self, ulong snapshot, ulong last, ulong term);

    [LoggerMessage(2, LogLevel.Information, "Manager {Leader} leads in term {Term}")]
    public static partial void Leads(this ILogger log, PeerId leader, ulong term);

    [LoggerMessage(3, LogLevel.Warning, "No leader is known in term {Term}")]
    public static partial void NoLeader(this ILogger log, ulong term);

    [LoggerMessage(4, LogLevel.Information, "Snapshot at entry {Index}: {Bytes} bytes; the log begins after {Through}")]
    public static partial void SnapshotTaken(this ILogger log, ulong index, long bytes, ulong through);

    [LoggerMessage(5, LogLevel.Information, "State replaced by the leader's snapshot at entry {Index}")]
    public static partial void SnapshotInstalled(this ILogger log, ulong index);

    [LoggerMessage(6, LogLevel.Warning, "Manager {Self} begins a cluster of its own: from entry {Index} on it decides alone")]
    public static partial void BeginsAnew(this ILogger log, PeerId self, ulong index);
}
