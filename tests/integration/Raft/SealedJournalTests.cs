using System.Text;
using Microsoft.Data.Sqlite;
using Orchestrator.Manager.Raft.Core;
using Orchestrator.Manager.Raft.Storage;

namespace Orchestrator.Tests.Integration.Raft;

public sealed class SealedJournalTests : IDisposable
{
    private const string Needle = "the-needle-in-the-hay";
    private readonly TemporaryDirectory root = new();

    public void Dispose() => root.Dispose();

    [Fact]
    public async Task No_file_holds_a_payload_in_clear()
    {
        await using (var journal = Journal())
        {
            await journal.OpenAsync(default);
            await journal.WriteAsync(new(new(1, new(1), 2), [Entry(1, "a " + Needle), Entry(2, "b")]));
            await journal.SaveSnapshotAsync(new(2, 1, Membership.Of([new(1)])), Encoding.UTF8.GetBytes("state " + Needle), compactThrough: 1);
            Assert.Empty(FilesWith(Needle)); // the write-ahead log too
        }

        Assert.Empty(FilesWith(Needle));
        await using var again = Journal();
        var contents = await again.OpenAsync(default);
        Assert.Equal(["a " + Needle, "b"], contents.Entries.Select(e => Encoding.UTF8.GetString(e.Data.Span)));
        Assert.Equal("state " + Needle, Encoding.UTF8.GetString((await again.ReadSnapshotAsync(default))!.Value.State.Span));
    }

    [Fact]
    public async Task The_keys_are_their_owners_alone_and_a_mode_that_lets_others_read_is_refused()
    {
        await WriteTwoAsync();
#pragma warning disable CA1416 // orch runs on Linux only
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Keys));
        File.SetUnixFileMode(Keys, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
#pragma warning restore CA1416
        Assert.Contains("make it 0600", await RefusalAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lost_keys_are_never_made_anew()
    {
        await WriteTwoAsync();
        File.Delete(Keys);
        Assert.Contains("Restore the file from a backup", await RefusalAsync(), StringComparison.Ordinal);
        Assert.False(File.Exists(Keys));
    }

    [Fact]
    public async Task Rows_cannot_be_exchanged_or_changed()
    {
        await WriteTwoAsync();
        Sql("UPDATE journal SET payload = (SELECT payload FROM journal WHERE sequence_number = 1) WHERE sequence_number = 2");
        Assert.Contains("entry 2 cannot be opened", await RefusalAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_kept_in_a_way_of_a_later_version_is_refused_by_its_name()
    {
        await WriteTwoAsync();
        await File.WriteAllTextAsync(Keys, (await File.ReadAllTextAsync(Keys)).Replace("\"none\"", "\"passphrase\"", StringComparison.Ordinal));
        Assert.Contains("kept as 'passphrase', which this version of orch cannot open", await RefusalAsync(), StringComparison.Ordinal);
    }

    private string Keys => root["j/" + JournalKeys.FileName];

    private static Entry Entry(ulong index, string text) => new(index, 1, EntryKind.Command, Encoding.UTF8.GetBytes(text));

    private ISealedJournal Journal() => Journals.Open(new() { Directory = root["j"], PersistenceId = "raft" });

    private async Task WriteTwoAsync()
    {
        await using var journal = Journal();
        await journal.OpenAsync(default);
        await journal.WriteAsync(new(new(1, new(1), 2), [Entry(1, "a"), Entry(2, "b")]));
    }

    private async Task<string> RefusalAsync()
    {
        await using var journal = Journal();
        return (await Assert.ThrowsAsync<JournalException>(() => journal.OpenAsync(default))).Message;
    }

    private string[] FilesWith(string needle) =>
        [.. Directory.EnumerateFiles(root["j"], "journal*").Where(f => !f.EndsWith(".lock", StringComparison.Ordinal) && File.ReadAllBytes(f).AsSpan().IndexOf(Encoding.UTF8.GetBytes(needle)) >= 0)];

    private void Sql(string sql)
    {
        SqliteLibrary.Use();
        using var connection = new SqliteConnection($"Data Source={root["j/journal.db"]};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
