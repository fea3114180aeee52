using System.Text;
using Orchestrator.Manager.Raft.Core;
using Orchestrator.Manager.Raft.Storage;

namespace Orchestrator.Tests.Integration.Raft;

/// <summary>What holds of every journal, wherever its rows lie.</summary>
public abstract class JournalClaims : IDisposable
{
    private static readonly HardState Voted = new(3, new(ulong.MaxValue), 4);
    private static readonly Membership Alone = Membership.Of([new(1)]);

    private protected TemporaryDirectory Root { get; } = new();

    public virtual void Dispose()
    {
        Root.Dispose();
        GC.SuppressFinalize(this);
    }

    private protected virtual JournalOptions Options => new() { Directory = Root["j"], PersistenceId = "raft" };

    private protected ISealedJournal Journal(byte[]? unlockKey = null) => Journals.Open(Options with { UnlockKey = unlockKey });

    /// <summary>Somebody changes the stored rows behind the journal's back.</summary>
    private protected abstract void Tamper(string sql);

    private protected abstract long Scalar(string sql);

    private protected static Entry Entry(ulong index, ulong term, string? text = null) =>
        new(index, term, EntryKind.Command, Encoding.UTF8.GetBytes(text ?? $"entry {index}"));

    private protected static IReadOnlyList<Entry> Entries(int from, int to) => [.. Enumerable.Range(from, to + 1 - from).Select(i => Entry((ulong)i, 1))];

    private protected static JournalWrite Write(params Entry[] entries) => new(new(entries[^1].Term, new(1), 0), entries);

    private protected async Task WriteThreeAsync()
    {
        await using var journal = Journal();
        await journal.OpenAsync(default);
        await journal.WriteAsync(new(new(1, new(1), 3), Entries(1, 3)));
    }

    private protected async Task<string> RefusalAsync()
    {
        await using var journal = Journal();
        return (await Assert.ThrowsAnyAsync<JournalException>(() => journal.OpenAsync(default))).Message;
    }

    private protected async Task<JournalContents> ReopenAsync(byte[]? unlockKey = null)
    {
        await using var journal = Journal(unlockKey);
        return await journal.OpenAsync(default);
    }

    private static async Task UntilAsync(Func<bool> holds)
    {
        for (var i = 0; i < 500 && !holds(); i++)
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        Assert.True(holds());
    }

    [Fact]
    public async Task What_was_written_is_there_after_reopening()
    {
        await using (var journal = Journal())
        {
            Assert.Empty((await journal.OpenAsync(default)).Entries);
            await journal.WriteAsync(new(Voted, [Entry(1, 1), Entry(2, 1), Entry(3, 2), Entry(4, 3), Entry(5, 3)]));
        }

        var contents = await ReopenAsync();
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
            await journal.WriteAsync(new(new(1, new(1), 1), Entries(1, 3)));
            await journal.WriteAsync(new(new(2, new(2), 1), [Entry(2, 2)]));
            // In one transaction too: what is replaced before it was written never comes back.
            await Task.WhenAll(
                journal.WriteAsync(new(null, [Entry(3, 2), Entry(4, 2), Entry(5, 2)])), journal.WriteAsync(new(new(3, new(2), 1), [Entry(4, 3)])),
                journal.WriteAsync(new(null, [Entry(5, 3, "five")])));
        }

        var contents = await ReopenAsync();
        Assert.Equal([(1ul, 1ul), (2ul, 2ul), (3ul, 2ul), (4ul, 3ul), (5ul, 3ul)], contents.Entries.Select(e => (e.Index, e.Term)));
        Assert.Equal("five"u8, contents.Entries[4].Data.Span);
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

        Assert.Equal(kinds, (await ReopenAsync()).Entries.Select(e => e.Kind));
    }

    [Fact]
    public async Task A_hole_is_never_written()
    {
        await using var journal = Journal();
        await journal.OpenAsync(default);
        await journal.WriteAsync(Write(Entry(1, 1)));
        await Assert.ThrowsAsync<JournalException>(() => journal.WriteAsync(Write(Entry(3, 1))));
        await Assert.ThrowsAsync<JournalException>(() => journal.WriteAsync(Write(Entry(2, 1)))); // and nothing after what failed
    }

    [Fact]
    public async Task Many_writers_at_once_share_transactions_and_lose_nothing()
    {
        await using (var journal = Journal())
        {
            await journal.OpenAsync(default);
            await Task.WhenAll(Enumerable.Range(1, 500).Select(i => journal.WriteAsync(new(new(1, new(1), 0), [Entry((ulong)i, 1)]))));
        }

        Assert.Equal(500, (await ReopenAsync()).Entries.Count);
        Assert.True(Scalar("SELECT writes FROM hard_state WHERE persistence_id = 'raft'") < 250);
    }

    [Fact]
    public async Task A_snapshot_lets_the_entries_before_it_go_and_older_ones_cannot_replace_it()
    {
        var members = new Membership([new(1), new(0xabc)], [new(2)], [new(3)]);
        await using (var journal = Journal())
        {
            await journal.OpenAsync(default);
            await journal.WriteAsync(new(new(1, new(1), 6), Entries(1, 6)));
            await journal.SaveSnapshotAsync(new(5, 1, members), "state 5"u8.ToArray(), compactThrough: 4);
            await journal.SaveSnapshotAsync(new(3, 1, Alone), "state 3"u8.ToArray(), compactThrough: 3);
            await journal.WriteAsync(Write(Entry(7, 1)));
        }

        await using var again = Journal();
        var contents = await again.OpenAsync(default);
        Assert.Equal((5ul, 1ul), (contents.Snapshot.Index, contents.Snapshot.Term));
        Assert.Equal(members.Encode(), contents.Snapshot.Membership.Encode());
        Assert.Equal([4, 5, 6, 7], contents.Entries.Select(e => (int)e.Index));
        var stored = await again.ReadSnapshotAsync(default);
        Assert.Equal("state 5", Encoding.UTF8.GetString(stored!.Value.State.Span));
    }

    [Fact]
    public async Task An_installed_snapshot_takes_the_place_of_everything_and_what_is_written_after_it_follows_it()
    {
        await using (var journal = Journal())
        {
            await journal.OpenAsync(default);
            await journal.WriteAsync(new(new(1, new(1), 3), Entries(1, 6)));
            await journal.SaveSnapshotAsync(new(3, 1, Alone), "state 3"u8.ToArray(), compactThrough: 2);
            // Asked for at once, as a loop that does not wait asks.
            await Task.WhenAll(
                journal.InstallSnapshotAsync(new(9, 2, Alone), new byte[200_000], new(2, default, 9)), journal.WriteAsync(new(new(2, default, 9), [Entry(10, 2)])));
        }

        await using var again = Journal();
        var contents = await again.OpenAsync(default);
        Assert.Equal([10ul], contents.Entries.Select(e => e.Index));
        Assert.Equal((9ul, 200_000), (contents.Snapshot.Index, (await again.ReadSnapshotAsync(default))!.Value.State.Length));
    }

    [Fact]
    public async Task A_snapshot_is_read_and_written_in_pieces_and_its_readers_keep_it()
    {
        var state = Enumerable.Range(0, 700_000).Select(i => (byte)(i / 1000)).ToArray();
        await using var journal = Journal();
        await journal.OpenAsync(default);
        Assert.Null(await journal.OpenSnapshotAsync(default));
        await journal.WriteAsync(new(new(1, new(1), 6), Entries(1, 6)));
        await using (var writer = journal.BeginSnapshot(new(5, 1, Alone)))
        {
            await writer.AppendAsync(state.AsMemory(0, 1));
            await writer.AppendAsync(state.AsMemory(1));
            Assert.Equal(state.Length, writer.Length);
            await writer.SaveAsync(compactThrough: 4);
        }

        await using (var given_up = journal.BeginSnapshot(new(6, 1, Alone)))
            await given_up.AppendAsync(state);
        await using (var reader = (await journal.OpenSnapshotAsync(default))!)
        {
            await journal.SaveSnapshotAsync(new(6, 1, Alone), "newer"u8.ToArray(), compactThrough: 4);
            Assert.Equal((5ul, (long)state.Length), (reader.Meta.Index, reader.Length));
            using var read = new MemoryStream();
            while (await reader.ReadAsync(read.Length, default) is { IsEmpty: false } piece)
                read.Write(piece.Span);
            Assert.Equal(state, read.ToArray());
            Assert.Equal(state[100_001], (await reader.ReadAsync(100_001, default)).Span[0]); // resumed anywhere
        }

        await UntilAsync(() => Scalar("SELECT count(*) FROM snapshot_pieces WHERE persistence_id = 'raft'") == 1);
        Assert.Equal("newer", Encoding.UTF8.GetString((await journal.ReadSnapshotAsync(default))!.Value.State.Span));
    }

    [Fact]
    public async Task Compaction_goes_in_steps_beside_the_writes_until_it_is_done()
    {
        await using var journal = Journal();
        await journal.OpenAsync(default);
        await journal.WriteAsync(new(new(1, new(1), 5000), Entries(1, 5000)));
        await journal.SaveSnapshotAsync(new(4990, 1, Alone), "state"u8.ToArray(), compactThrough: 4900);
        Assert.True(Scalar("SELECT count(*) FROM journal") > 101);
        await journal.WriteAsync(Write(Entry(5001, 1)));
        await UntilAsync(() => Scalar("SELECT count(*) FROM journal") == 102);
    }

    [Fact]
    public async Task Keys_change_under_way_and_go_when_nothing_is_sealed_under_them()
    {
        var keys = new JournalKeyFile(Root["j"], _ => { });
        await using (var journal = Journal())
        {
            await journal.OpenAsync(default);
            await journal.WriteAsync(Write(Entry(1, 1)));
            await journal.RotateKeyAsync();
            await journal.WriteAsync(Write(Entry(2, 1)));
            await journal.RotateKeyAsync();
            await journal.WriteAsync(Write(Entry(3, 1)));
            Assert.Equal((1u, 3u), (JournalKeys.Read(keys, null).Oldest, JournalKeys.Read(keys, null).Newest));
        }

        Assert.Equal(["entry 1", "entry 2", "entry 3"], (await ReopenAsync()).Entries.Select(e => Encoding.UTF8.GetString(e.Data.Span)));
        await using (var journal = Journal())
        {
            await journal.OpenAsync(default);
            await journal.SaveSnapshotAsync(new(3, 1, Alone), "state"u8.ToArray(), compactThrough: 2);
            await UntilAsync(() => JournalKeys.Read(keys, null).Oldest == 2); // entry 2 needs it
            await journal.WriteAsync(Write(Entry(4, 1)));
            await journal.SaveSnapshotAsync(new(4, 1, Alone), "state"u8.ToArray(), compactThrough: 4);
            await UntilAsync(() => JournalKeys.Read(keys, null).Oldest == 3);
        }

        Assert.Equal([4ul], (await ReopenAsync()).Entries.Select(e => e.Index));
    }

    [Fact]
    public async Task A_locked_journal_opens_only_with_its_unlock_key()
    {
        var (first, second) = (new byte[32], Enumerable.Repeat((byte)7, 32).ToArray());
        await using (var journal = Journal())
        {
            await journal.OpenAsync(default);
            await journal.WriteAsync(Write(Entry(1, 1)));
            await journal.ProtectKeysAsync(first);
            await journal.RotateKeyAsync(); // stays wrapped
            await journal.WriteAsync(Write(Entry(2, 1)));
        }

        Assert.True(Journals.IsLocked(Root["j"]));
        Assert.DoesNotContain("\"none\"", await File.ReadAllTextAsync(Root["j/" + JournalKeys.FileName]), StringComparison.Ordinal);
        await using (var without = Journal())
            Assert.Contains("orch swarm unlock", (await Assert.ThrowsAsync<JournalLockedException>(() => without.OpenAsync(default))).Message, StringComparison.Ordinal);
        await using (var wrong = Journal(second))
            Assert.Contains("is not the one", (await Assert.ThrowsAsync<JournalLockedException>(() => wrong.OpenAsync(default))).Message, StringComparison.Ordinal);
        await using (var journal = Journal(first))
        {
            Assert.Equal(2, (await journal.OpenAsync(default)).Entries.Count);
            await journal.ProtectKeysAsync(second);
        }

        await using (var old = Journal(first))
            await Assert.ThrowsAsync<JournalLockedException>(() => old.OpenAsync(default));
        await using (var journal = Journal(second))
        {
            Assert.Equal(2, (await journal.OpenAsync(default)).Entries.Count);
            await journal.ProtectKeysAsync(null);
        }

        Assert.False(Journals.IsLocked(Root["j"]));
        Assert.Equal(2, (await ReopenAsync()).Entries.Count);
    }

    [Fact]
    public async Task A_hole_in_the_middle_is_refused_with_what_to_do()
    {
        await WriteThreeAsync();
        Tamper("DELETE FROM journal WHERE sequence_number = 2");
        var refusal = await RefusalAsync();
        Assert.Contains("entries 2 to 2 are missing in the middle", refusal, StringComparison.Ordinal);
        Assert.Contains("remove the directory", refusal, StringComparison.Ordinal);
        Assert.Contains("--force-new-cluster", refusal, StringComparison.Ordinal);
        Assert.Contains("restored from a backup", refusal, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("DELETE FROM journal WHERE sequence_number > 1", "ends at entry 1, but entry 3 was committed")]
    [InlineData("DELETE FROM journal WHERE sequence_number = 1", "entries 1 to 1, after the snapshot, are missing")]
    [InlineData("DELETE FROM hard_state", "nothing says what should be there")]
    [InlineData("DELETE FROM journal", "it ends at entry 0, but entry 3 was committed")]
    [InlineData("UPDATE hard_state SET commit_index = 2", "its head says")]
    [InlineData("UPDATE hard_state SET vote = 9", "its head says")]
    [InlineData("UPDATE hard_state SET writes = writes - 1", "its head cannot be opened")]
    [InlineData("UPDATE hard_state SET payload = NULL", "seal of its head is missing")]
    [InlineData("UPDATE journal SET manifest = 'sealed-empty' WHERE sequence_number = 2", "entry 2 cannot be opened")]
    [InlineData("UPDATE journal SET term = 2 WHERE sequence_number = 3", "entry 3 cannot be opened")]
    [InlineData("DELETE FROM journal WHERE sequence_number > 0; DELETE FROM hard_state", "has lost writes that were acknowledged")]
    public async Task What_was_changed_behind_its_back_is_told(string sql, string told)
    {
        await WriteThreeAsync();
        Tamper(sql);
        Assert.Contains(told, await RefusalAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_older_copy_is_refused_even_though_it_is_sound()
    {
        await using (var journal = Journal())
        {
            await journal.OpenAsync(default);
            await journal.WriteAsync(Write(Entry(1, 1)));
            Tamper("CREATE TABLE older AS SELECT * FROM hard_state");
            await journal.WriteAsync(Write(Entry(2, 1)));
        }

        Tamper("DELETE FROM journal WHERE sequence_number = 2; DELETE FROM hard_state; INSERT INTO hard_state SELECT * FROM older; DROP TABLE older");
        var refusal = await RefusalAsync();
        Assert.Contains("it holds 1 transactions, and 2 were promised", refusal, StringComparison.Ordinal);
        File.Delete(Root["j/" + JournalTip.FileName]); // as the sentence says
        Assert.Equal([1ul], (await ReopenAsync()).Entries.Select(e => e.Index));
    }

    [Fact]
    public async Task A_second_user_is_refused()
    {
        await using var first = Journal();
        await first.OpenAsync(default);
        Assert.Contains("in use by another", await RefusalAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_damaged_piece_of_a_snapshot_is_told_when_it_is_read()
    {
        await using (var journal = Journal())
        {
            await journal.OpenAsync(default);
            await journal.WriteAsync(new(new(1, new(1), 2), Entries(1, 2)));
            await journal.SaveSnapshotAsync(new(2, 1, Alone), new byte[200_000], compactThrough: 1);
        }

        Tamper("UPDATE snapshot_pieces SET payload = (SELECT payload FROM snapshot_pieces WHERE number = 0) WHERE number = 1");
        await using (var again = Journal())
        {
            await again.OpenAsync(default);
            var refusal = await Assert.ThrowsAsync<JournalException>(() => again.ReadSnapshotAsync(default));
            Assert.Contains("piece 1 of snapshot 2 cannot be opened", refusal.Message, StringComparison.Ordinal);
        }

        Tamper("DELETE FROM snapshot_pieces WHERE number = 3");
        Assert.Contains("piece 3 of snapshot 2 is missing", await RefusalAsync(), StringComparison.Ordinal);
    }
}
