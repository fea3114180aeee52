using Npgsql;
using NpgsqlTypes;
using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Manager.Raft.Storage;

/// <summary>The tables on a server, in the schema <c>orch</c>: SQLite's, with the owner of each journal beside its head.</summary>
internal static class PostgresTables
{
    internal const int Version = 2;

    /// <summary>Numbers of 64 bits without sign lie in bigint by their bits.</summary>
    internal const string Schema = """
        CREATE SCHEMA IF NOT EXISTS orch;
        CREATE TABLE IF NOT EXISTS orch.format (version integer NOT NULL);
        CREATE TABLE IF NOT EXISTS orch.journal (
            persistence_id text NOT NULL, sequence_number bigint NOT NULL, term bigint NOT NULL,
            manifest text NOT NULL, payload bytea NOT NULL, timestamp bigint NOT NULL,
            PRIMARY KEY (persistence_id, sequence_number));
        CREATE TABLE IF NOT EXISTS orch.snapshots (
            persistence_id text NOT NULL, sequence_number bigint NOT NULL, term bigint NOT NULL, voters text NOT NULL,
            manifest text NOT NULL, payload bytea NOT NULL, timestamp bigint NOT NULL,
            PRIMARY KEY (persistence_id, sequence_number));
        CREATE TABLE IF NOT EXISTS orch.snapshot_pieces (
            persistence_id text NOT NULL, series bigint NOT NULL, number integer NOT NULL, payload bytea NOT NULL,
            PRIMARY KEY (persistence_id, series, number));
        CREATE TABLE IF NOT EXISTS orch.hard_state (
            persistence_id text PRIMARY KEY, term bigint NOT NULL, vote bigint NOT NULL, commit_index bigint NOT NULL,
            writes bigint NOT NULL, first_number bigint NOT NULL, last_number bigint NOT NULL,
            snapshot_number bigint NOT NULL, payload bytea, owner uuid NOT NULL);
        ALTER TABLE orch.journal ALTER COLUMN payload SET STORAGE EXTERNAL;
        ALTER TABLE orch.snapshot_pieces ALTER COLUMN payload SET STORAGE EXTERNAL;
        INSERT INTO orch.format SELECT 2 WHERE NOT EXISTS (SELECT FROM orch.format);
        """;

    internal static StoredRows Read(NpgsqlConnection connection, string id) =>
        new(ReadHead(connection, id), ReadSnapshot(connection, id), ReadEntries(connection, id), ReadSeries(connection, id));

    internal static HeadRow? ReadHead(NpgsqlConnection connection, string id)
    {
        using var read = Command(
            connection, "SELECT term, vote, commit_index, writes, first_number, last_number, snapshot_number, payload FROM orch.hard_state WHERE persistence_id = $1", id);
        using var row = read.ExecuteReader();
        if (!row.Read())
            return null;
        var state = new HardState((ulong)row.GetInt64(0), new((ulong)row.GetInt64(1)), (ulong)row.GetInt64(2));
        var head = new JournalHead(state, (ulong)row.GetInt64(3), (ulong)row.GetInt64(4), (ulong)row.GetInt64(5), (ulong)row.GetInt64(6));
        // A row without transactions is an owner's first claim.
        return head.Writes == 0 && row.IsDBNull(7) ? null : new(head, row.IsDBNull(7) ? null : row.GetFieldValue<byte[]>(7));
    }

    private static SnapshotRow? ReadSnapshot(NpgsqlConnection connection, string id)
    {
        using var read = Command(
            connection,
            "SELECT sequence_number, term, voters, manifest, payload FROM orch.snapshots WHERE persistence_id = $1 ORDER BY sequence_number DESC LIMIT 1", id);
        using var row = read.ExecuteReader();
        return row.Read() ? new((ulong)row.GetInt64(0), (ulong)row.GetInt64(1), row.GetString(2), row.GetString(3), row.GetFieldValue<byte[]>(4)) : null;
    }

    private static List<EntryRow> ReadEntries(NpgsqlConnection connection, string id)
    {
        using var read = Command(connection, "SELECT sequence_number, term, manifest, payload FROM orch.journal WHERE persistence_id = $1 ORDER BY sequence_number", id);
        using var row = read.ExecuteReader();
        List<EntryRow> entries = [];
        while (row.Read())
            entries.Add(new((ulong)row.GetInt64(0), (ulong)row.GetInt64(1), row.GetString(2), row.GetFieldValue<byte[]>(3)));
        return entries;
    }

    private static List<PieceRange> ReadSeries(NpgsqlConnection connection, string id)
    {
        using var read = Command(connection, "SELECT series, min(number), max(number) FROM orch.snapshot_pieces WHERE persistence_id = $1 GROUP BY series", id);
        using var row = read.ExecuteReader();
        List<PieceRange> series = [];
        while (row.Read())
            series.Add(new(row.GetInt64(0), row.GetInt32(1), row.GetInt32(2) + 1));
        return series;
    }

    internal static NpgsqlCommand Command(NpgsqlConnection connection, string sql, string id)
    {
        var command = new NpgsqlCommand(sql, connection);
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = id, NpgsqlDbType = NpgsqlDbType.Text });
        return command;
    }
}
