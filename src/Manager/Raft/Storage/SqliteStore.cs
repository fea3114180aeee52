using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Orchestrator.Manager.Raft.Storage;

/// <summary>Rows in one SQLite file: WAL mode, synchronous=FULL. The write-ahead log is brought into the database aside.</summary>
internal sealed partial class SqliteStore(JournalOptions options) : IJournalStore
{
    internal const string FileName = "journal.db";
    private const string LockName = "journal.lock";

    private readonly JournalReserve reserve = new(options.Directory, options.Time);
    private readonly SqliteTables tables = new(options.PersistenceId);
    private FileStream? owner;
    private SqliteConnection? connection;
    private SqliteCheckpointer? checkpointer;

    public string Name { get; } = Path.Combine(options.Directory, FileName);

    public StoredRows Open()
    {
        SqliteLibrary.Use();
        Own();
        var tail = SqliteTail.Inspect(Name);
        if (tail.Damage is { } damage)
            throw Damaged(damage, null);
        while (true)
        {
            try
            {
                var rows = Open(tail);
                reserve.Restore();
                return rows;
            }
            catch (SqliteException e) when (IsWithoutRoom(e))
            {
                Disconnect();
                if (!reserve.Spend())
                    throw new JournalException($"the journal {Name} cannot be opened: its disk is full ({e.Message.TrimEnd('.')}). Nothing is wrong with it; free some space and start again", e);
                options.Log.DiskFull(Name);
            }
        }
    }

    /// <summary>Also the index of the write-ahead log, which is made anew at a start, needs room.</summary>
    private static bool IsWithoutRoom(SqliteException e) => e.SqliteErrorCode == raw.SQLITE_FULL || e.SqliteExtendedErrorCode == NoRoomForIndex;

    private StoredRows Open(SqliteTail tail)
    {
        connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Name, Pooling = false, DefaultTimeout = 1 }.ToString());
        try
        {
            connection.Open();
            Execute("PRAGMA journal_mode=WAL");
            Execute("PRAGMA synchronous=FULL");
            Execute("PRAGMA wal_autocheckpoint=0"); // the checkpointer's
            Execute("PRAGMA busy_timeout=5000"); // somebody may be looking with sqlite3(1)
            PrepareSchema();
            if (tables.Stranger(connection) is { } stranger)
                throw Stranger(stranger);
            var rows = tables.Read(connection, tail.Torn);
            begin = Prepare("BEGIN IMMEDIATE");
            commit = Prepare("COMMIT");
            insertEntry = Prepare(SqliteTables.InsertEntry);
            updateHead = PrepareOwned(SqliteTables.UpdateHead);
            checkpointer = new(Name, options.Log);
            return rows;
        }
        catch (SqliteException e) when (IsWithoutRoom(e))
        {
            throw;
        }
        catch (SqliteException e) when (e.SqliteErrorCode is raw.SQLITE_BUSY or raw.SQLITE_LOCKED)
        {
            throw InUse(e);
        }
        catch (SqliteException e) when (e.SqliteErrorCode is raw.SQLITE_CANTOPEN or raw.SQLITE_PERM or raw.SQLITE_READONLY)
        {
            throw new JournalException($"the journal {Name} cannot be opened: {e.Message}", e);
        }
        catch (Exception e) when (e is SqliteException or InvalidCastException or FormatException or InvalidOperationException or OverflowException)
        {
            throw Damaged($"SQLite cannot read it: {e.Message}", e);
        }
    }

    public byte[]? ReadPiece(long series, int number)
    {
        using var read = connection!.CreateCommand();
        read.CommandText = "SELECT payload FROM snapshot_pieces WHERE persistence_id = $id AND series = $series AND number = $number";
        read.Parameters.AddWithValue("$id", options.PersistenceId);
        read.Parameters.AddWithValue("$series", series);
        read.Parameters.AddWithValue("$number", number);
        return read.ExecuteScalar() as byte[];
    }

    public void GiveUp()
    {
        closing.Set();
    }

    public void Dispose()
    {
        Disconnect();
        checkpointer?.CloseFile();
        owner?.Dispose();
    }

    private void Disconnect()
    {
        begin?.Dispose();
        commit?.Dispose();
        insertEntry?.Dispose();
        updateHead?.Dispose();
        checkpointer?.Dispose();
        connection?.Dispose(); // the last one to close brings the rest of the write-ahead log in and removes it
    }

    /// <summary>A second daemon on the same data would be a second voter with the same name.</summary>
    private void Own()
    {
        try
        {
            owner = new FileStream(Path.Combine(options.Directory, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw InUse(e);
        }
    }

    private void PrepareSchema()
    {
        var version = (long)Scalar("PRAGMA user_version")!;
        var application = (long)Scalar("PRAGMA application_id")!;
        if (version == 0 && application == 0 && (long)Scalar("SELECT count(*) FROM sqlite_master")! == 0)
        {
            Execute($"BEGIN IMMEDIATE; {SqliteTables.Schema} COMMIT;");
            return;
        }

        if (application != SqliteTables.ApplicationId)
            throw new JournalException($"{Name} is a database of something else than orch; name another --data-root or move the file away");
        if (version is not (1 or 2 or SqliteTables.Version))
            throw new JournalException($"{Name} has journal format {version}, this version of orch reads {SqliteTables.Version}; start the version that wrote it");
        if (Scalar("PRAGMA quick_check(1)") is not "ok")
            throw Damaged("SQLite's own check of the pages fails", null);
        if (version < SqliteTables.Version)
            Execute($"BEGIN IMMEDIATE; {(version == 1 ? SqliteTables.FromVersion1 : SqliteTables.FromVersion2)} COMMIT;");
    }

    private void Execute(string sql)
    {
        using var command = connection!.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private object? Scalar(string sql)
    {
        using var command = connection!.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }

    /// <summary>Beginning an empty journal beside it, under a number that once had this one, is what a number of its own for each journal prevents.</summary>
    private JournalException Stranger(string whose) => new(
        $"the journal {Name} is that of {whose}, and this manager is {options.PersistenceId}: put the files of one moment together again, or, if the swarm has other managers, remove the directory {options.Directory}: this manager then begins an empty journal and is taken in anew");

    private JournalException InUse(Exception cause) =>
        new($"the journal {Name} is in use by another process; is a second daemon running on this data root?", cause);

    private JournalException Damaged(string what, Exception? cause) => new JournalDamage(Name, options.Directory).Of(what, cause);
}
