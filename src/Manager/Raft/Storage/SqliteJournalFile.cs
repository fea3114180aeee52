using System.Globalization;
using Microsoft.Data.Sqlite;
using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Manager.Raft.Storage;

/// <summary>The file and its SQL; used by one thread.</summary>
internal sealed class SqliteJournalFile(string directory, string persistenceId, TimeProvider time) : IDisposable
{
    // 'orch', so that file(1) and a human can tell whose database this is.
    private const int ApplicationId = 0x6f726368;
    private const int SchemaVersion = 1;

    // The event-journal shape that Akka.Persistence.Sql also has; term is Raft's addition.
    private const string Schema = """
        CREATE TABLE journal (
            persistence_id TEXT NOT NULL, sequence_number INTEGER NOT NULL, term INTEGER NOT NULL,
            manifest TEXT NOT NULL, payload BLOB NOT NULL, timestamp INTEGER NOT NULL,
            PRIMARY KEY (persistence_id, sequence_number)) WITHOUT ROWID;
        CREATE TABLE snapshots (
            persistence_id TEXT NOT NULL, sequence_number INTEGER NOT NULL, term INTEGER NOT NULL, voters TEXT NOT NULL,
            manifest TEXT NOT NULL, payload BLOB NOT NULL, timestamp INTEGER NOT NULL,
            PRIMARY KEY (persistence_id, sequence_number));
        CREATE TABLE hard_state (
            persistence_id TEXT PRIMARY KEY, term INTEGER NOT NULL, vote INTEGER NOT NULL, commit_index INTEGER NOT NULL);
        """;

    private const string StateManifest = "state";

    /// <summary>Before the manifest of a payload that is sealed; journals of versions that sealed nothing lack it, and are read as they are.</summary>
    private const string Sealed = "sealed-";

    private SqliteConnection? connection;
    private SqliteCommand? insert;
    private SqliteCommand? hard;
    private JournalSeal? seal;
    private ulong last;
    private ulong snapshot;

    private string KeysPath { get; } = System.IO.Path.Combine(directory, JournalKeys.FileName);

    internal string Path { get; } = System.IO.Path.Combine(directory, "journal.db");

    internal JournalContents Open()
    {
        SqliteLibrary.Use();
        Directory.CreateDirectory(directory);
#pragma warning disable CA1416 // orch runs on Linux only
        File.SetUnixFileMode(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
#pragma warning restore CA1416
        if (!File.Exists(Path) && !File.Exists(KeysPath))
            JournalKeys.Create(KeysPath, time); // before the database: SQLite's first sync is of the directory too, and so of the keys' name
        connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Path, Pooling = false, DefaultTimeout = 1 }.ToString());
        try
        {
            connection.Open();
            // Exclusive: a second daemon on the same data would be a second voter with the same name.
            Execute("PRAGMA locking_mode=EXCLUSIVE");
            Execute("PRAGMA journal_mode=WAL");
            Execute("PRAGMA synchronous=FULL");
            Execute("BEGIN EXCLUSIVE; COMMIT");
        }
        catch (SqliteException e) when (e.SqliteErrorCode is 5 or 6)
        {
            throw new JournalException($"the journal {Path} is in use by another process; is a second daemon running on this data root?", e);
        }
        catch (SqliteException e) when (e.SqliteErrorCode is 11 or 26)
        {
            throw Damaged("it is no sound SQLite database", e);
        }

        PrepareSchema();
        seal = new(OpenKeys(), persistenceId);
        insert = Command("INSERT INTO journal VALUES ($id, $n, $term, $manifest, $payload, $time)", "$n", "$term", "$manifest", "$payload", "$time");
        hard = Command("INSERT OR REPLACE INTO hard_state VALUES ($id, $term, $vote, $commit)", "$term", "$vote", "$commit");
        var contents = new JournalContents(ReadHardState(), ReadSnapshotMeta(), ReadEntries());
        if (JournalCheck.Problem(contents) is { } problem)
            throw Damaged(problem, null);
        snapshot = contents.Snapshot.Index;
        last = contents.Entries.Count > 0 ? contents.Entries[^1].Index : contents.Snapshot.Index;
        return contents;
    }

    internal void InTransaction(Action work)
    {
        Execute("BEGIN IMMEDIATE");
        try
        {
            work();
            Execute("COMMIT");
        }
        catch (Exception cause)
        {
            try
            {
                Execute("ROLLBACK");
            }
            catch (SqliteException undoing) when (cause is SqliteException)
            {
                // A failed commit (disk full, I/O) may have rolled back already; both are told, and nothing is written hereafter.
                throw new JournalException($"the journal {Path} failed: {cause.Message}; rolling back: {undoing.Message}", cause);
            }

            throw;
        }
    }

    internal void Write(JournalWrite write)
    {
        if (write.Entries.Count > 0)
        {
            var first = write.Entries[0].Index;
            if (first <= last)
                Delete("DELETE FROM journal WHERE persistence_id = $id AND sequence_number >= $n", first);
            var now = time.GetUtcNow().ToUnixTimeMilliseconds();
            foreach (var entry in write.Entries)
            {
                var p = insert!.Parameters;
                p["$n"].Value = (long)entry.Index;
                p["$term"].Value = (long)entry.Term;
                p["$manifest"].Value = Sealed + ManifestOf(entry.Kind);
                p["$payload"].Value = seal!.Seal(ManifestOf(entry.Kind), entry.Index, entry.Term, entry.Data.Span);
                p["$time"].Value = now;
                insert.ExecuteNonQuery();
            }

            last = write.Entries[^1].Index;
        }

        if (write.HardState is { } state)
            WriteHardState(state);
    }

    internal void SaveSnapshot(SnapshotMeta meta, ReadOnlyMemory<byte> state, ulong compactThrough)
    {
        if (meta.Index <= snapshot)
            return; // a leader's newer snapshot was installed while this one was written
        Replace(meta, state);
        // The entry at the end of what goes stays: its term is what the next append is checked against.
        Delete("DELETE FROM journal WHERE persistence_id = $id AND sequence_number < $n", compactThrough);
    }

    internal void InstallSnapshot(SnapshotMeta meta, ReadOnlyMemory<byte> state, HardState hardState)
    {
        Replace(meta, state);
        Delete("DELETE FROM journal WHERE persistence_id = $id AND sequence_number >= $n", 0);
        WriteHardState(hardState);
        last = meta.Index;
    }

    internal (SnapshotMeta Meta, ReadOnlyMemory<byte> State)? ReadSnapshot()
    {
        var meta = ReadSnapshotMeta();
        if (meta.Index == 0)
            return null;
        using var read = Command("SELECT manifest, payload FROM snapshots WHERE persistence_id = $id AND sequence_number = $n", "$n");
        read.Parameters["$n"].Value = (long)meta.Index;
        using var row = read.ExecuteReader();
        row.Read();
        var manifest = Clear(row.GetString(0));
        if (manifest != StateManifest)
            throw Damaged($"snapshot {meta.Index} is stored as '{row.GetString(0)}', which this version does not know", null);
        return (meta, Payload(row.GetString(0), meta.Index, meta.Term, row.GetFieldValue<byte[]>(1), "snapshot"));
    }

    public void Dispose()
    {
        insert?.Dispose();
        hard?.Dispose();
        connection?.Dispose();
    }

    private void PrepareSchema()
    {
        var version = (long)Scalar("PRAGMA user_version")!;
        var owner = (long)Scalar("PRAGMA application_id")!;
        if (version == 0 && owner == 0 && (long)Scalar("SELECT count(*) FROM sqlite_master")! == 0)
        {
            InTransaction(() => Execute(string.Create(
                CultureInfo.InvariantCulture, $"{Schema} PRAGMA application_id={ApplicationId}; PRAGMA user_version={SchemaVersion};")));
            return;
        }

        if (owner != ApplicationId)
            throw new JournalException($"{Path} is a database of something else than orch; name another --data-root or move the file away");
        if (version != SchemaVersion)
            throw new JournalException($"{Path} has journal format {version}, this version of orch reads {SchemaVersion}; start the version that wrote it");
        if (Scalar("PRAGMA quick_check(1)") is not "ok")
            throw Damaged("SQLite's own check of the pages fails", null);
    }

    private HardState ReadHardState()
    {
        using var read = Command("SELECT term, vote, commit_index FROM hard_state WHERE persistence_id = $id");
        using var row = read.ExecuteReader();
        return row.Read() ? new((ulong)row.GetInt64(0), new((ulong)row.GetInt64(1)), (ulong)row.GetInt64(2)) : default;
    }

    private SnapshotMeta ReadSnapshotMeta()
    {
        using var read = Command(
            "SELECT sequence_number, term, voters FROM snapshots WHERE persistence_id = $id ORDER BY sequence_number DESC LIMIT 1");
        using var row = read.ExecuteReader();
        if (!row.Read())
            return SnapshotMeta.None;
        return new((ulong)row.GetInt64(0), (ulong)row.GetInt64(1), MembershipText.Read(row.GetString(2)));
    }

    private List<Entry> ReadEntries()
    {
        using var read = Command("SELECT sequence_number, term, manifest, payload FROM journal WHERE persistence_id = $id ORDER BY sequence_number");
        using var row = read.ExecuteReader();
        List<Entry> entries = [];
        while (row.Read())
        {
            var (index, term, manifest) = ((ulong)row.GetInt64(0), (ulong)row.GetInt64(1), row.GetString(2));
            var kind = KindOf(Clear(manifest), row.GetInt64(0));
            entries.Add(new(index, term, kind, Payload(manifest, index, term, row.GetFieldValue<byte[]>(3), "entry")));
        }

        return entries;
    }

    /// <summary>The journal's keys: made with the first journal that seals, and never again for one that is sealed already.</summary>
    private JournalKeys OpenKeys()
    {
        if (File.Exists(KeysPath))
            return JournalKeys.Read(KeysPath);
        using var count = Command(
            "SELECT (SELECT count(*) FROM journal WHERE manifest LIKE 'sealed-%') + (SELECT count(*) FROM snapshots WHERE manifest LIKE 'sealed-%')");
        return (long)count.ExecuteScalar()! == 0 ? JournalKeys.Create(KeysPath, time) : JournalKeys.Read(KeysPath);
    }

    private static string Clear(string manifest) => manifest.StartsWith(Sealed, StringComparison.Ordinal) ? manifest[Sealed.Length..] : manifest;

    private byte[] Payload(string manifest, ulong index, ulong term, byte[] stored, string what)
    {
        if (!manifest.StartsWith(Sealed, StringComparison.Ordinal))
            return stored;
        try
        {
            return seal!.Open(Clear(manifest), index, term, stored);
        }
        catch (System.Security.Cryptography.CryptographicException e)
        {
            throw Damaged($"{what} {index} cannot be opened: {e.Message}", e);
        }
    }

    private void WriteHardState(HardState state)
    {
        var p = hard!.Parameters;
        p["$term"].Value = (long)state.Term;
        p["$vote"].Value = (long)state.Vote.Value;
        p["$commit"].Value = (long)state.Commit;
        hard.ExecuteNonQuery();
    }

    private void Replace(SnapshotMeta meta, ReadOnlyMemory<byte> state)
    {
        using var save = Command(
            "INSERT OR REPLACE INTO snapshots VALUES ($id, $n, $term, $voters, $manifest, $payload, $time)",
            "$n", "$term", "$voters", "$manifest", "$payload", "$time");
        save.Parameters["$n"].Value = (long)meta.Index;
        save.Parameters["$term"].Value = (long)meta.Term;
        save.Parameters["$voters"].Value = MembershipText.Write(meta.Membership);
        save.Parameters["$manifest"].Value = Sealed + StateManifest;
        save.Parameters["$payload"].Value = seal!.Seal(StateManifest, meta.Index, meta.Term, state.Span);
        save.Parameters["$time"].Value = time.GetUtcNow().ToUnixTimeMilliseconds();
        save.ExecuteNonQuery();
        Delete("DELETE FROM snapshots WHERE persistence_id = $id AND sequence_number <> $n", meta.Index);
        snapshot = meta.Index;
    }

    private void Delete(string sql, ulong number)
    {
        using var delete = Command(sql, "$n");
        delete.Parameters["$n"].Value = (long)number;
        delete.ExecuteNonQuery();
    }

    private SqliteCommand Command(string sql, params ReadOnlySpan<string> parameters)
    {
        var command = connection!.CreateCommand();
        command.CommandText = sql;
        command.Parameters.AddWithValue("$id", persistenceId);
        foreach (var name in parameters)
            command.Parameters.Add(new SqliteParameter { ParameterName = name });
        return command;
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

    // The manifest names what the payload is; another form of payload gets another name.
    private static string ManifestOf(EntryKind kind) => kind switch
    {
        EntryKind.Command => "command",
        EntryKind.Empty => "empty",
        EntryKind.Membership => "membership",
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private EntryKind KindOf(string manifest, long index) => manifest switch
    {
        "command" => EntryKind.Command,
        "empty" => EntryKind.Empty,
        "membership" => EntryKind.Membership,
        _ => throw Damaged($"entry {index} is stored as '{manifest}', which this version does not know", null),
    };

    private JournalException Damaged(string what, Exception? cause) => new(
        $"the journal {Path} is damaged: {what}. Restore the directory from a backup; or, in a cluster with other managers, "
        + "remove it and join this node anew", cause);
}
