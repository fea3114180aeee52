namespace Orchestrator.Manager.Raft.Storage;

/// <summary>The journals there are, by what the options name.</summary>
internal static class Journals
{
    /// <summary>The journal, not opened yet: <see cref="IJournal.OpenAsync"/> does that, and tells what is wrong.</summary>
    internal static IJournal Open(JournalOptions options)
    {
        if (options.Server is not null)
            throw new JournalException("a journal on a server is not supported by this version of orch: leave out --journal");
        return new SqliteJournal(options.Directory, options.PersistenceId, options.Time);
    }
}
