using Microsoft.Data.Sqlite;
using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Manager.Raft.Storage;

/// <summary>The tables, and how they are read. Their shape is the event journal's that Akka.Persistence.Sql also has; term is Raft's addition.</summary>
/// <remarks>
/// A file is one manager's, and <c>hard_state</c> says whose; the journal's rows don't repeat it. Its number is the rowid: SQLite fills the last page of such a
/// table to the end and begins the next, where an index of the same rows is balanced over three pages at every turn (measured: half the pages a transaction).
/// </remarks>
internal sealed class SqliteTables(string persistenceId)
{
    // 'orch', so that file(1) and a human can tell whose database this is.
    internal const int ApplicationId = 0x6f726368;
    internal const int Version = 3;

    private const string Pieces = """
        CREATE TABLE snapshot_pieces (
            persistence_id TEXT NOT NULL, series INTEGER NOT NULL, number INTEGER NOT NULL, payload BLOB NOT NULL,
            PRIMARY KEY (persistence_id, series, number));
        """;

    private const string Journal = """
        CREATE TABLE journal (
            sequence_number INTEGER PRIMARY KEY, term INTEGER NOT NULL, manifest TEXT NOT NULL, payload BLOB NOT NULL, timestamp INTEGER NOT NULL);
        """;

    private const string Mark = "PRAGMA application_id=1869767528; PRAGMA user_version=3;";

    internal const string Schema = $"""
        {Journal}
        CREATE TABLE snapshots (
            persistence_id TEXT NOT NULL, sequence_number INTEGER NOT NULL, term INTEGER NOT NULL, voters TEXT NOT NULL,
            manifest TEXT NOT NULL, payload BLOB NOT NULL, timestamp INTEGER NOT NULL,
            PRIMARY KEY (persistence_id, sequence_number));
        CREATE TABLE hard_state (
            persistence_id TEXT PRIMARY KEY, term INTEGER NOT NULL, vote INTEGER NOT NULL, commit_index INTEGER NOT NULL,
            writes INTEGER NOT NULL DEFAULT 0, first_number INTEGER NOT NULL DEFAULT 0, last_number INTEGER NOT NULL DEFAULT 0,
            snapshot_number INTEGER NOT NULL DEFAULT 0, payload BLOB);
        {Pieces}
        {Mark}
        """;

    /// <summary>The journal's rows bore their owner, and were kept in an index.</summary>
    internal const string FromVersion2 = $"""
        ALTER TABLE journal RENAME TO journal_2;
        {Journal}
        INSERT INTO journal SELECT sequence_number, term, manifest, payload, timestamp FROM journal_2 ORDER BY sequence_number;
        DROP TABLE journal_2;
        {Mark}
        """;

    internal const string FromVersion1 = $"""
        ALTER TABLE hard_state ADD COLUMN writes INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE hard_state ADD COLUMN first_number INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE hard_state ADD COLUMN last_number INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE hard_state ADD COLUMN snapshot_number INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE hard_state ADD COLUMN payload BLOB;
        {Pieces}
        {FromVersion2}
        """;

    internal const string InsertEntry = "INSERT INTO journal VALUES (?, ?, ?, ?, ?)";
    /// <summary>An update in place: replacing the row would write its index' page with every transaction.</summary>
    internal const string UpdateHead = """
        INSERT INTO hard_state VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (persistence_id) DO UPDATE SET term = excluded.term, vote = excluded.vote, commit_index = excluded.commit_index, writes = excluded.writes,
            first_number = excluded.first_number, last_number = excluded.last_number, snapshot_number = excluded.snapshot_number, payload = excluded.payload
        """;

    internal StoredRows Read(SqliteConnection connection, string? torn) =>
        new(ReadHead(connection), ReadSnapshot(connection), ReadEntries(connection), ReadSeries(connection), torn);

    /// <summary>Somebody else whose journal is in this file; null: nobody.</summary>
    internal string? Stranger(SqliteConnection connection)
    {
        using var read = Command(connection, "SELECT persistence_id FROM hard_state WHERE persistence_id != $id LIMIT 1");
        return read.ExecuteScalar() as string;
    }

    private HeadRow? ReadHead(SqliteConnection connection)
    {
        using var read = Command(connection, "SELECT term, vote, commit_index, writes, first_number, last_number, snapshot_number, payload FROM hard_state WHERE persistence_id = $id");
        using var row = read.ExecuteReader();
        if (!row.Read())
            return null;
        var state = new HardState((ulong)row.GetInt64(0), new((ulong)row.GetInt64(1)), (ulong)row.GetInt64(2));
        return new(
            new(state, (ulong)row.GetInt64(3), (ulong)row.GetInt64(4), (ulong)row.GetInt64(5), (ulong)row.GetInt64(6)),
            row.IsDBNull(7) ? null : row.GetFieldValue<byte[]>(7));
    }

    private SnapshotRow? ReadSnapshot(SqliteConnection connection)
    {
        using var read = Command(
            connection, "SELECT sequence_number, term, voters, manifest, payload FROM snapshots WHERE persistence_id = $id ORDER BY sequence_number DESC LIMIT 1");
        using var row = read.ExecuteReader();
        return row.Read() ? new((ulong)row.GetInt64(0), (ulong)row.GetInt64(1), row.GetString(2), row.GetString(3), row.GetFieldValue<byte[]>(4)) : null;
    }

    private List<EntryRow> ReadEntries(SqliteConnection connection)
    {
        using var read = Command(connection, "SELECT sequence_number, term, manifest, payload FROM journal ORDER BY sequence_number");
        using var row = read.ExecuteReader();
        List<EntryRow> entries = [];
        while (row.Read())
            entries.Add(new((ulong)row.GetInt64(0), (ulong)row.GetInt64(1), row.GetString(2), row.GetFieldValue<byte[]>(3)));
        return entries;
    }

    private List<PieceRange> ReadSeries(SqliteConnection connection)
    {
        using var read = Command(connection, "SELECT series, min(number), max(number) FROM snapshot_pieces WHERE persistence_id = $id GROUP BY series");
        using var row = read.ExecuteReader();
        List<PieceRange> series = [];
        while (row.Read())
            series.Add(new(row.GetInt64(0), row.GetInt32(1), row.GetInt32(2) + 1));
        return series;
    }

    private SqliteCommand Command(SqliteConnection connection, string sql)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        command.Parameters.AddWithValue("$id", persistenceId);
        return command;
    }
}
