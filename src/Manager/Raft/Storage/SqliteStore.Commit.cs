using System.Globalization;
using System.Text;
using SQLitePCL;

namespace Orchestrator.Manager.Raft.Storage;

/// <summary>Writing. Entries and the head go by statements that stay prepared, below Microsoft.Data.Sqlite, which binds by name for every row.</summary>
internal sealed partial class SqliteStore
{
    /// <summary>SQLITE_DBSTATUS_CACHE_WRITE: pages that the connection wrote, in WAL mode to the write-ahead log. (sqlite.org/c3ref/c_dbstatus_options.html)</summary>
    private const int PagesWritten = 9;

    /// <summary>SQLITE_IOERR_SHMSIZE: the index of the write-ahead log could not grow. (sqlite.org/rescode.html)</summary>
    private const int NoRoomForIndex = raw.SQLITE_IOERR | (19 << 8);

    private static readonly TimeSpan FullPause = TimeSpan.FromMilliseconds(250);

    private readonly ManualResetEventSlim closing = new();
    private readonly byte[] id = Encoding.UTF8.GetBytes(options.PersistenceId);
    private sqlite3_stmt? begin;
    private sqlite3_stmt? commit;
    private sqlite3_stmt? insertEntry;
    private sqlite3_stmt? updateHead;

    /// <summary>
    /// On a full disk it waits and is done again: nothing of it is there, nothing else is written meanwhile, and to Raft it is a slow disk.
    /// Everything else that fails breaks the journal; a failed sync above all, after which nobody knows what the kernel still holds.
    /// </summary>
    public void Commit(JournalRows rows)
    {
        var full = 0L;
        while (true)
        {
            try
            {
                CommitOnce(rows);
                if (full != 0)
                    options.Log.DiskHasRoom(Name, options.Time.GetElapsedTime(full));
                reserve.Restore();
                return;
            }
            catch (DiskFullException cause)
            {
                if (full == 0)
                {
                    full = options.Time.GetTimestamp();
                    options.Log.DiskFull(Name);
                }

                if (!reserve.Spend() && closing.Wait(FullPause))
                    throw new JournalException($"{cause.Message}. What was asked for meanwhile was not acknowledged; free some space and start this manager again", cause);
            }
        }
    }

    private void CommitOnce(JournalRows rows) => checkpointer!.Commit(() =>
    {
        try
        {
            Step(begin!);
            Write(rows);
            Step(commit!);
            Check(raw.sqlite3_db_status(Handle, PagesWritten, out var pages, out _, 1), "counting the pages written");
            return pages;
        }
        catch (JournalException cause)
        {
            // A failed commit (disk full, I/O) may have rolled back already.
            if (raw.sqlite3_get_autocommit(Handle) == 0 && raw.sqlite3_exec(Handle, "ROLLBACK") is not raw.SQLITE_OK and var undoing)
                throw new JournalException($"{cause.Message}; and it could not be rolled back: {raw.sqlite3_errstr(undoing).utf8_to_string()}", cause);
            throw;
        }
    });

    private sqlite3 Handle => connection!.Handle!;

    private void Write(JournalRows rows)
    {
        if (rows.CutFrom is { } cut)
            Run("DELETE FROM journal WHERE sequence_number >= ?", (long)cut);
        if (rows.ForgetBelow > 0)
            Run("DELETE FROM journal WHERE sequence_number < ?", (long)rows.ForgetBelow);
        foreach (var (series, from, to) in rows.Dropped)
            RunOwned("DELETE FROM snapshot_pieces WHERE persistence_id = ? AND series = ? AND number >= ? AND number < ?", series, from, to);
        var now = options.Time.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (var entry in rows.Entries)
            Insert(entry, now);
        foreach (var piece in rows.Pieces)
            Insert(piece);
        if (rows.Snapshot is { } snapshot)
            Replace(snapshot, now);
        WriteHead(rows.Head);
    }

    private void Insert(EntryRow entry, long now)
    {
        var s = insertEntry!;
        raw.sqlite3_bind_int64(s, 1, (long)entry.Index);
        raw.sqlite3_bind_int64(s, 2, (long)entry.Term);
        raw.sqlite3_bind_text(s, 3, entry.Manifest);
        raw.sqlite3_bind_blob(s, 4, entry.Payload);
        raw.sqlite3_bind_int64(s, 5, now);
        Step(s);
    }

    private void WriteHead(HeadRow row)
    {
        var (s, head) = (updateHead!, row.Head);
        raw.sqlite3_bind_int64(s, 2, (long)head.HardState.Term);
        raw.sqlite3_bind_int64(s, 3, (long)head.HardState.Vote.Value);
        raw.sqlite3_bind_int64(s, 4, (long)head.HardState.Commit);
        raw.sqlite3_bind_int64(s, 5, (long)head.Writes);
        raw.sqlite3_bind_int64(s, 6, (long)head.First);
        raw.sqlite3_bind_int64(s, 7, (long)head.Last);
        raw.sqlite3_bind_int64(s, 8, (long)head.Snapshot);
        raw.sqlite3_bind_blob(s, 9, row.Payload);
        Step(s);
    }

    private void Insert(PieceRow piece)
    {
        using var s = PrepareOwned("INSERT INTO snapshot_pieces VALUES (?, ?, ?, ?)");
        raw.sqlite3_bind_int64(s, 2, piece.Series);
        raw.sqlite3_bind_int64(s, 3, piece.Number);
        raw.sqlite3_bind_blob(s, 4, piece.Payload);
        Step(s);
    }

    private void Replace(SnapshotRow snapshot, long now)
    {
        using (var s = PrepareOwned("INSERT OR REPLACE INTO snapshots VALUES (?, ?, ?, ?, ?, ?, ?)"))
        {
            raw.sqlite3_bind_int64(s, 2, (long)snapshot.Index);
            raw.sqlite3_bind_int64(s, 3, (long)snapshot.Term);
            raw.sqlite3_bind_text(s, 4, snapshot.Voters);
            raw.sqlite3_bind_text(s, 5, snapshot.Manifest);
            raw.sqlite3_bind_blob(s, 6, snapshot.Payload);
            raw.sqlite3_bind_int64(s, 7, now);
            Step(s);
        }

        RunOwned("DELETE FROM snapshots WHERE persistence_id = ? AND sequence_number <> ?", (long)snapshot.Index);
    }

    private void Run(string sql, long number)
    {
        using var s = Prepare(sql);
        raw.sqlite3_bind_int64(s, 1, number);
        Step(s);
    }

    private void RunOwned(string sql, params ReadOnlySpan<long> numbers)
    {
        using var s = PrepareOwned(sql);
        for (var i = 0; i < numbers.Length; i++)
            raw.sqlite3_bind_int64(s, i + 2, numbers[i]);
        Step(s);
    }

    /// <summary>The first parameter is whose rows they are.</summary>
    private sqlite3_stmt PrepareOwned(string sql)
    {
        var statement = Prepare(sql);
        raw.sqlite3_bind_text(statement, 1, id);
        return statement;
    }

    private sqlite3_stmt Prepare(string sql)
    {
        Check(raw.sqlite3_prepare_v2(Handle, sql, out var statement), sql);
        return statement;
    }

    private void Step(sqlite3_stmt statement)
    {
        var result = raw.sqlite3_step(statement);
        raw.sqlite3_reset(statement);
        if (result != raw.SQLITE_DONE)
            Check(result, "a write");
    }

    private void Check(int result, string what)
    {
        if (result == raw.SQLITE_OK)
            return;
        var message = string.Create(CultureInfo.InvariantCulture, $"the journal {Name} failed at {what}: {raw.sqlite3_errmsg(Handle).utf8_to_string()} ({result})");
        throw result is raw.SQLITE_FULL || raw.sqlite3_extended_errcode(Handle) is raw.SQLITE_FULL or NoRoomForIndex
            ? new DiskFullException(message)
            : new JournalException(message);
    }

    private sealed class DiskFullException(string message) : JournalException(message);
}
