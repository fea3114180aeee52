using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;
using SQLitePCL;

namespace Orchestrator.Manager.Raft.Storage;

/// <summary>
/// Brings the write-ahead log into the database from a thread and a connection of its own, so that no commit pays for it. SQLite begins
/// the log anew only when all of it is in the database, which under a steady load never happens by itself: beyond a limit the last few
/// pages are brought in while commits are held back, after everything else has been synced.
/// </summary>
internal sealed class SqliteCheckpointer : IDisposable
{
    /// <summary>Bytes of log from which it is brought in.</summary>
    internal const long Worthwhile = 4 << 20;

    /// <summary>Bytes of log from which commits are held back for the end. A log that is begun anew is written over in place, which costs the file system neither blocks nor a size.</summary>
    internal const long TooLong = 16 << 20;

    private const int PageBytes = 4096;
    private readonly string path;
    private readonly ILogger log;
    private readonly Lock committing = new();
    private readonly ManualResetEventSlim mayCommit = new(true);
    private readonly AutoResetEvent wake = new(false);
    private readonly SafeFileHandle file;
    private readonly Thread thread;
    private volatile bool stopping;
    private long bytes;

    internal SqliteCheckpointer(string path, ILogger log)
    {
        this.path = path;
        this.log = log;
        // Closed last of all: closing any descriptor of a file drops the locks that SQLite holds on it (fcntl(2), "record locks").
        file = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        thread = new Thread(Run) { Name = "journal-checkpoint", IsBackground = true };
        thread.Start();
    }

    /// <param name="work">Commits, and answers how many pages that added to the log.</param>
    internal void Commit(Func<int> work)
    {
        mayCommit.Wait();
        int pages;
        lock (committing)
            pages = work();
        if (Interlocked.Add(ref bytes, (long)pages * PageBytes) >= Worthwhile)
            wake.Set();
    }

    public void Dispose()
    {
        stopping = true;
        wake.Set();
        thread.Join();
    }

    internal void CloseFile()
    {
        file.Dispose();
        wake.Dispose();
        mayCommit.Dispose();
    }

    private void Run()
    {
        SqliteConnection? connection = null;
        while (wake.WaitOne() && !stopping)
        {
            try
            {
                connection ??= Connect();
                Bring(connection.Handle!);
            }
            catch (Exception e) when (e is SqliteException or IOException)
            {
                log.CheckpointFailed(e, path);
            }
        }

        connection?.Dispose();
    }

    private SqliteConnection Connect()
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Pooling = false, DefaultTimeout = 1 }.ToString());
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0";
        command.ExecuteNonQuery();
        return connection;
    }

    private void Bring(sqlite3 db)
    {
        Interlocked.Exchange(ref bytes, 0);
        var left = Pass(db, out var length);
        if (left == 0 || length < TooLong)
            return;
        RandomAccess.FlushToDisk(file);
        Pass(db, out _); // what came meanwhile, so that little is left for the pause
        RandomAccess.FlushToDisk(file);
        mayCommit.Reset();
        try
        {
            FinishWhileNobodyCommits(db);
        }
        finally
        {
            mayCommit.Set();
        }
    }

    private void FinishWhileNobodyCommits(sqlite3 db)
    {
        lock (committing)
            Pass(db, out _);
    }

    /// <summary>Brings in what is there; commits go on meanwhile. Returns the bytes of log that are not in the database yet.</summary>
    private static long Pass(sqlite3 db, out long length)
    {
        var result = raw.sqlite3_wal_checkpoint_v2(db, "main", raw.SQLITE_CHECKPOINT_PASSIVE, out var pages, out var done);
        if (result is not (raw.SQLITE_OK or raw.SQLITE_BUSY))
            throw new SqliteException(raw.sqlite3_errmsg(db).utf8_to_string(), result);
        length = (long)pages * PageBytes;
        return (long)(pages - done) * PageBytes;
    }
}
