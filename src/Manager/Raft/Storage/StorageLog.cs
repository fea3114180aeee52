using Microsoft.Extensions.Logging;

namespace Orchestrator.Manager.Raft.Storage;

internal static partial class StorageLog
{
    [LoggerMessage(1, LogLevel.Warning, "The end of the journal {Journal} was torn: {What}. It is dropped. The journal ends at entry {Last}; what was written after it was acknowledged to nobody")]
    public static partial void TornTail(this ILogger log, string journal, string what, ulong last);

    [LoggerMessage(2, LogLevel.Information, "The journal {Journal} is sealed under key {Key} from now on")]
    public static partial void KeyRotated(this ILogger log, string journal, uint key);

    [LoggerMessage(3, LogLevel.Information, "The journal {Journal} needs no key before {Key} any more: the older ones are forgotten")]
    public static partial void KeysForgotten(this ILogger log, string journal, uint key);

    [LoggerMessage(4, LogLevel.Warning, "The journal {Journal} keeps the keys before {Key} for now")]
    public static partial void KeysKept(this ILogger log, Exception reason, string journal, uint key);

    [LoggerMessage(5, LogLevel.Warning, "The journal {Journal} cannot be reached: {Reason}. Writes wait and nothing is acknowledged; after {Patience} this manager stops")]
    public static partial void ServerLost(this ILogger log, string journal, string reason, TimeSpan patience);

    [LoggerMessage(6, LogLevel.Information, "The journal {Journal} is reached again after {Gap}")]
    public static partial void ServerBack(this ILogger log, string journal, TimeSpan gap);

    [LoggerMessage(7, LogLevel.Warning, "The write-ahead log of {Journal} could not be brought into the database; it grows meanwhile")]
    public static partial void CheckpointFailed(this ILogger log, Exception reason, string journal);

    [LoggerMessage(8, LogLevel.Error, "There is no room for the journal {Journal}: its disk is full. Writes wait and nothing is acknowledged until some is freed")]
    public static partial void DiskFull(this ILogger log, string journal);

    [LoggerMessage(9, LogLevel.Information, "The journal {Journal} has room again after {Gap}")]
    public static partial void DiskHasRoom(this ILogger log, string journal, TimeSpan gap);
}
