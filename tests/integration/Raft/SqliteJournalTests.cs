using Microsoft.Data.Sqlite;
using Orchestrator.Manager.Raft.Core;
using Orchestrator.Manager.Raft.Storage;

namespace Orchestrator.Tests.Integration.Raft;

public sealed class SqliteJournalTests : IDisposable
{
    private static readonly HardState Voted = new(3, new(ulong.MaxValue), 4);
    private readonly TemporaryDirectory root = new();

    public void Dispose() => root.Dispose();

    [Fact]
    public async Task What_was_written_is_there_after_reopening()
    {
        await using (var journal = Journal())
        {
            Assert.Empty((await journal.OpenAsync(default)).Entries);
            await journal.WriteAsync(new(Voted, [Entry(1, 1), Entry(2, 1), Entry(3, 2), Entry(4, 3), Entry(5, 3)]));
        }

        await using var again = Journal();
        var contents = await again.OpenAsync(default);
        Assert.Equal(Voted, contents.HardState);
        Assert.Equal([1, 2, 3, 4, 5], contents.Entries.Select(e => (int)e.Index));
        Assert.Equal("entry 5"u8, contents.Entries[4].Data.Span);
    }

    [Fact]
    public async Task A_later_write_replaces_the_tail_from_its_first_entry_on()
    {
        await using (var journal = Journal())
        {
            await journal.OpenAsync(default);
            await journal.WriteAsync(new(new(1, new(1), 1), [Entry(1, 1), Entry(2, 1), Entry(3, 1)]));
            await journal.WriteAsync(new(new(2, new(2), 1), [Entry(2, 2)]));
        }

        await using var again = Journal();
        Assert.Equal([(1ul, 1ul), (2ul, 2ul)], (await again.OpenAsync(default)).Entries.Select(e => (e.Index, e.Term)));
    }

    [Fact]
    public async Task Every_kind_of_entry_comes_back_as_what_it_was()
    {
        var kinds = Enum.GetValues<EntryKind>();
        await using (var journal = Journal())
        {
            await journal.OpenAsync(default);
            await journal.WriteAsync(new(new(1, new(1), 0), [.. kinds.Select((kind, i) => Entry((ulong)i + 1, 1) with { Kind = kind })]));
        }

        await using var again = Journal();
        Assert.Equal(kinds, (await again.OpenAsync(default)).Entries.Select(e => e.Kind));
    }

    [Fact]
    public async Task A_snapshot_is_read_and_written_in_pieces_too()
    {
        var state = new byte[700_000];
        new Span<byte>(state, 300_000, 400_000).Fill(7);
        await using var journal = Journals.Open(new() { Directory = root["j"], PersistenceId = "raft" });
        await journal.OpenAsync(default);
        Assert.Null(await journal.OpenSnapshotAsync(default));
        await journal.WriteAsync(new(new(1, new(1), 6), [.. Enumerable.Range(1, 6).Select(i => Entry((ulong)i, 1))]));
        await using (var writer = journal.BeginSnapshot(new(5, 1, Membership.Of([new(1)]))))
        {
            await writer.AppendAsync(state.AsMemory(0, 1));
            await writer.AppendAsync(state.AsMemory(1));
            Assert.Equal(state.Length, writer.Length);
            await writer.SaveAsync(compactThrough: 4);
        }

        await using var reader = (await journal.OpenSnapshotAsync(default))!;
        Assert.Equal((5ul, (long)state.Length), (reader.Meta.Index, reader.Length));
        using var read = new MemoryStream();
        while (await reader.ReadAsync(read.Length, default) is { IsEmpty: false } piece)
            read.Write(piece.Span);
        Assert.Equal(state, read.ToArray());
    }

    [Fact]
    public async Task Many_writers_at_once_share_transactions_and_lose_nothing()
    {
        await using (var journal = Journal())
        {
            await journal.OpenAsync(default);
            await Task.WhenAll(Enumerable.Range(1, 500).Select(i => journal.WriteAsync(new(new(1, new(1), 0), [Entry((ulong)i, 1)]))));
        }

        await using var again = Journal();
        Assert.Equal(500, (await again.OpenAsync(default)).Entries.Count);
    }

    [Fact]
    public async Task A_snapshot_lets_the_entries_before_it_go_and_older_ones_cannot_replace_it()
    {
        var members = new Membership([new(1), new(0xabc)], [new(2)], [new(3)]);
        await using (var journal = Journal())
        {
            await journal.OpenAsync(default);
            await journal.WriteAsync(new(new(1, new(1), 6), [.. Enumerable.Range(1, 6).Select(i => Entry((ulong)i, 1))]));
            await journal.SaveSnapshotAsync(new(5, 1, members), "state 5"u8.ToArray(), compactThrough: 4);
            await journal.SaveSnapshotAsync(new(3, 1, Membership.Of([new(1)])), "state 3"u8.ToArray(), compactThrough: 3);
        }

        await using var again = Journal();
        var contents = await again.OpenAsync(default);
        Assert.Equal((5ul, 1ul), (contents.Snapshot.Index, contents.Snapshot.Term));
        Assert.Equal(members.Encode(), contents.Snapshot.Membership.Encode());
        Assert.Equal([4, 5, 6], contents.Entries.Select(e => (int)e.Index));
        var stored = await again.ReadSnapshotAsync(default);
        Assert.Equal("state 5", System.Text.Encoding.UTF8.GetString(stored!.Value.State.Span));
        await again.InstallSnapshotAsync(new(9, 2, Membership.Of([new(1)])), "state 9"u8.ToArray(), new(2, default, 9));
        await again.WriteAsync(new(new(2, default, 9), [Entry(10, 2)]));
    }

    [Fact]
    public async Task A_hole_in_the_middle_is_refused_with_what_to_do()
    {
        await WriteThreeAsync();
        Tamper("DELETE FROM journal WHERE sequence_number = 2");
        await using var journal = Journal();
        var refusal = await Assert.ThrowsAsync<JournalException>(() => journal.OpenAsync(default));
        Assert.Contains("entries 2 to 2 are missing in the middle", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("Restore the directory from a backup", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lost_committed_tail_is_refused()
    {
        await WriteThreeAsync();
        Tamper("DELETE FROM journal WHERE sequence_number > 1");
        await using var journal = Journal();
        var refusal = await Assert.ThrowsAsync<JournalException>(() => journal.OpenAsync(default));
        Assert.Contains("ends at entry 1, but entry 3 was committed", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_torn_tail_of_the_write_ahead_log_is_dropped_quietly()
    {
        await using (var journal = Journal())
        {
            await journal.OpenAsync(default);
            await journal.WriteAsync(new(new(1, new(1), 1), [Entry(1, 1)]));
            await journal.WriteAsync(new(new(1, new(1), 1), [Entry(2, 1)]));
            // What a power failure leaves: the files as they are, the last frames of the log half written.
            Directory.CreateDirectory(root["torn"]);
            File.Copy(root["j/journal.db"], root["torn/journal.db"]);
            File.Copy(root["j/journal-keys.json"], root["torn/journal-keys.json"]);
            var wal = await File.ReadAllBytesAsync(root["j/journal.db-wal"]);
            await File.WriteAllBytesAsync(root["torn/journal.db-wal"], wal[..^1500]);
        }

        await using var torn = new SqliteJournal(root["torn"], "raft", TimeProvider.System);
        Assert.Equal([1ul], (await torn.OpenAsync(default)).Entries.Select(e => e.Index));
    }

    [Fact]
    public async Task Bytes_that_are_no_database_a_foreign_one_and_a_second_user_are_told_apart()
    {
        Directory.CreateDirectory(root["j"]);
        await File.WriteAllTextAsync(root["j/journal.db"], new string('x', 5000));
        Assert.Contains("damaged", await RefusalAsync(), StringComparison.Ordinal);
        File.Delete(root["j/journal.db"]);
        Tamper("CREATE TABLE theirs (x)");
        Assert.Contains("something else than orch", await RefusalAsync(), StringComparison.Ordinal);
        File.Delete(root["j/journal.db"]);
        await using var first = Journal();
        await first.OpenAsync(default);
        Assert.Contains("in use by another process", await RefusalAsync(), StringComparison.Ordinal);
#pragma warning disable CA1416 // orch runs on Linux only
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(root["j"]));
#pragma warning restore CA1416
    }

    private static Entry Entry(ulong index, ulong term) => new(index, term, EntryKind.Command, System.Text.Encoding.UTF8.GetBytes($"entry {index}"));

    private SqliteJournal Journal() => new(root["j"], "raft", TimeProvider.System);

    private async Task WriteThreeAsync()
    {
        await using var journal = Journal();
        await journal.OpenAsync(default);
        await journal.WriteAsync(new(new(1, new(1), 3), [Entry(1, 1), Entry(2, 1), Entry(3, 1)]));
    }

    private async Task<string> RefusalAsync()
    {
        await using var journal = Journal();
        return (await Assert.ThrowsAsync<JournalException>(() => journal.OpenAsync(default))).Message;
    }

    private void Tamper(string sql)
    {
        SqliteLibrary.Use();
        using var connection = new SqliteConnection($"Data Source={root["j/journal.db"]};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
