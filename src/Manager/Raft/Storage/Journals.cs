namespace Orchestrator.Manager.Raft.Storage;

/// <summary>The journals there are, by what the options name.</summary>
internal static class Journals
{
    /// <summary>The journal, not opened yet: <see cref="IJournal.OpenAsync"/> does that, and tells what is wrong.</summary>
    /// <exception cref="JournalException">The server's address is not understood.</exception>
    internal static ISealedJournal Open(JournalOptions options) =>
        new Journal(options, options.Server is null ? new SqliteStore(options) : new PostgresStore(options));

    /// <summary>Whether the journal in a directory opens only with an unlock key. False when there is none.</summary>
    /// <exception cref="JournalException">The file of its keys is damaged.</exception>
    internal static bool IsLocked(string directory)
    {
        var file = new JournalKeyFile(directory, static _ => { });
        return file.Exists && JournalKeys.AreLocked(file);
    }
}
