using Microsoft.Data.Sqlite;
using Orchestrator.Manager.Raft.Core;
using Orchestrator.Manager.Raft.Storage;

namespace Orchestrator.Tests.Integration.Raft;

public sealed class SqliteJournalTests : JournalClaims
{
    [Fact]
    public async Task Bytes_that_are_no_database_and_a_foreign_one_are_told_apart()
    {
        Directory.CreateDirectory(Root["j"]);
        await File.WriteAllTextAsync(Root["j/journal.db"], new string('x', 5000));
        Assert.Contains("damaged", await RefusalAsync(), StringComparison.Ordinal);
        File.Delete(Root["j/journal.db"]);
        Tamper("CREATE TABLE theirs (x)");
        Assert.Contains("something else than orch", await RefusalAsync(), StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Root["j"]));
    }

    [Fact]
    public async Task A_removed_file_is_not_begun_anew()
    {
        await WriteThreeAsync();
        File.Delete(Root["j/journal.db"]);
        Assert.Contains("it holds 0 transactions, and 1 were promised", await RefusalAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_journal_of_another_number_is_refused_and_not_begun_beside()
    {
        await WriteThreeAsync();
        await using (var other = Journals.Open(Options with { PersistenceId = "raft-0000000000000007" }))
        {
            var refused = await Assert.ThrowsAsync<JournalException>(() => other.OpenAsync(default));
            Assert.Contains("is that of raft, and this manager is raft-0000000000000007", refused.Message, StringComparison.Ordinal);
        }

        Assert.Equal(3, (await ReopenAsync()).Entries.Count);
    }

    /// <summary>As formats 1 and 2 kept entries.</summary>
    private const string IndexedEntries = """
        CREATE TABLE indexed (
            persistence_id TEXT NOT NULL, sequence_number INTEGER NOT NULL, term INTEGER NOT NULL,
            manifest TEXT NOT NULL, payload BLOB NOT NULL, timestamp INTEGER NOT NULL,
            PRIMARY KEY (persistence_id, sequence_number)) WITHOUT ROWID;
        INSERT INTO indexed SELECT 'raft', * FROM journal;
        DROP TABLE journal; ALTER TABLE indexed RENAME TO journal;
        """;

    [Fact]
    public async Task A_journal_of_the_second_format_opens_and_goes_on_in_this_one()
    {
        await WriteThreeAsync();
        Tamper(IndexedEntries + "PRAGMA user_version=2;");
        await using (var journal = Journal())
        {
            Assert.Equal(3, (await journal.OpenAsync(default)).Entries.Count);
            await journal.WriteAsync(Write(Entry(4, 1)));
        }

        Assert.Equal(4, (await ReopenAsync()).Entries.Count);
    }

    [Fact]
    public async Task A_journal_of_the_first_format_opens_and_goes_on_in_this_one()
    {
        await WriteThreeAsync();
        Tamper(IndexedEntries + """
            UPDATE journal SET manifest = 'command', payload = CAST('clear ' || sequence_number AS BLOB);
            CREATE TABLE before (persistence_id TEXT PRIMARY KEY, term INTEGER NOT NULL, vote INTEGER NOT NULL, commit_index INTEGER NOT NULL);
            INSERT INTO before SELECT persistence_id, term, vote, commit_index FROM hard_state;
            DROP TABLE hard_state; ALTER TABLE before RENAME TO hard_state; DROP TABLE snapshot_pieces;
            INSERT INTO snapshots VALUES ('raft', 2, 1, '1', 'state', CAST('old state' AS BLOB), 0);
            PRAGMA user_version=1;
            """);
        File.Delete(Root["j/" + JournalTip.FileName]);
        await using (var journal = Journal())
        {
            var contents = await journal.OpenAsync(default);
            Assert.Equal(["clear 1", "clear 2", "clear 3"], contents.Entries.Select(e => System.Text.Encoding.UTF8.GetString(e.Data.Span)));
            Assert.Equal(new HardState(1, new(1), 3), contents.HardState);
            Assert.Equal("old state", System.Text.Encoding.UTF8.GetString((await journal.ReadSnapshotAsync(default))!.Value.State.Span));
            await journal.WriteAsync(Write(Entry(4, 1)));
        }

        await using (var journal = Journal())
        {
            Assert.Equal(4, (await journal.OpenAsync(default)).Entries.Count);
            await journal.SaveSnapshotAsync(new(3, 1, Membership.Of([new(1)])), "new state"u8.ToArray(), compactThrough: 3);
        }

        Assert.Equal(3ul, (await ReopenAsync()).Snapshot.Index);
    }

    private protected override void Tamper(string sql)
    {
        using var connection = Connect();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private protected override long Scalar(string sql)
    {
        using var connection = Connect();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }

    private SqliteConnection Connect()
    {
        SqliteLibrary.Use();
        var connection = new SqliteConnection($"Data Source={Root["j/journal.db"]};Pooling=False");
        connection.Open();
        return connection;
    }
}
