using System.Text;
using Microsoft.Extensions.Logging;
using Orchestrator.Manager.Raft.Core;
using Orchestrator.Manager.Raft.Storage;

namespace Orchestrator.Tests.Integration.Raft;

/// <summary>
/// Files as disks and power failures leave them. Whatever happens to a byte, a journal is exactly what was acknowledged, or refused with a
/// sentence: never quietly less.
/// </summary>
public sealed class DamagedJournalTests : IDisposable
{
    private const string Database = "journal.db";
    private const string Log = "journal.db-wal";
    private static readonly Membership Alone = Membership.Of([new(1)]);
    private readonly TemporaryDirectory root = new();
    private readonly Sentences sentences = new();
    private int attempts;

    public void Dispose() => root.Dispose();

    [Fact]
    public async Task A_flipped_byte_anywhere_in_the_database_changes_nothing_or_is_told()
    {
        var (files, whole) = await ClosedAsync();
        Assert.DoesNotContain(Log, files.Keys);
        var (exact, told) = (0, 0);
        for (var at = 0; at < files[Database].Length; at += at < 100 ? 3 : 577)
            Count(await OpenAsync(Flip(files, Database, at)), whole, $"byte {at} of {files[Database].Length}", ref exact, ref told);
        Assert.True(exact > 20 && told > 100, $"{exact} exact, {told} told");
    }

    [Fact]
    public async Task A_flipped_byte_in_the_keys_or_the_tip_changes_nothing_or_is_told()
    {
        var (files, whole) = await ClosedAsync();
        var (exact, told) = (0, 0);
        foreach (var name in (string[])[JournalKeys.FileName, JournalTip.FileName])
        {
            for (var at = 0; at < files[name].Length; at++)
                Count(await OpenAsync(Flip(files, name, at)), whole, $"byte {at} of {name}", ref exact, ref told);
        }

        Assert.True(exact > 20 && told > 50, $"{exact} exact, {told} told");
    }

    [Fact]
    public async Task A_database_that_ends_anywhere_is_told()
    {
        var (files, whole) = await ClosedAsync();
        var (exact, told) = (0, 0);
        for (var length = 0; length < files[Database].Length; length += 2048)
            Count(await OpenAsync(Cut(files, Database, length)), whole, $"{length} bytes", ref exact, ref told);
        Assert.True(exact == 0 && told > 20, $"{exact} exact, {told} told");
    }

    [Fact]
    public async Task A_flipped_byte_anywhere_in_the_write_ahead_log_changes_nothing_or_is_told()
    {
        var (files, whole) = await RunningAsync();
        var (exact, told) = (0, 0);
        for (var at = 0; at < files[Log].Length; at += at < 60 ? 3 : 877)
            Count(await OpenAsync(Flip(files, Log, at)), whole, $"byte {at} of {files[Log].Length}", ref exact, ref told);
        Assert.True(told > 100, $"{exact} exact, {told} told");
    }

    [Fact]
    public async Task A_write_ahead_log_that_ends_before_what_was_acknowledged_is_told()
    {
        var (files, whole) = await RunningAsync();
        var (exact, told) = (0, 0);
        for (var length = 0; length < files[Log].Length; length += 1031)
            Count(await OpenAsync(Cut(files, Log, length)), whole, $"{length} bytes", ref exact, ref told);
        Assert.True(exact == 0 && told > 50, $"{exact} exact, {told} told");
    }

    [Fact]
    public async Task Damage_before_the_last_write_is_told_even_when_nothing_but_the_log_knows_what_was_acknowledged()
    {
        var (files, whole) = await RunningAsync();
        files.Remove(JournalTip.FileName); // a power failure may leave it behind
        var (exact, told) = (0, 0);
        var last = files[Log].Length - (3 * 4120); // the last write has fewer pages
        for (var at = 0; at < last; at += 877)
            Count(await OpenAsync(Flip(files, Log, at)), whole, $"byte {at} of {files[Log].Length}", ref exact, ref told);
        Assert.True(told > 100, $"{exact} exact, {told} told");
    }

    [Fact]
    public async Task A_torn_tail_is_dropped_and_named_wherever_it_is_torn()
    {
        var (before, after, contents) = await InterruptedAsync();
        var torn = 0;
        for (var length = before[Log].Length; length < after[Log].Length; length += 517)
        {
            sentences.Clear();
            // The files of the moment before, and of the write that was under way what had reached the disk.
            Assert.Equal(contents, await OpenAsync(Cut(Mix(before, after), Log, length)));
            torn += sentences.Count(s => s.Contains("was torn", StringComparison.Ordinal) && s.Contains("ends at entry 20", StringComparison.Ordinal));
        }

        Assert.True(torn > 30, $"{torn} torn");
    }

    [Fact]
    public async Task A_torn_tail_whose_pages_reached_the_disk_in_another_order_is_dropped_too()
    {
        var (before, after, contents) = await InterruptedAsync();
        var (all, dropped) = (await OpenAsync(Mix(before, after)), 0);
        for (var hole = before[Log].Length; hole + 512 < after[Log].Length; hole += 2048)
        {
            var files = Mix(before, after);
            var log = (byte[])after[Log].Clone();
            log.AsSpan(hole, 512).Clear(); // this sector did not
            files[Log] = log;
            var outcome = await OpenAsync(files);
            dropped += outcome == contents ? 1 : 0;
            Assert.True(outcome == contents || outcome == all, $"hole at {hole}: {outcome}"); // a sector of zeros is no hole
        }

        Assert.True(dropped > 10, $"{dropped} dropped");
    }

    private static void Count(string outcome, string whole, string where, ref int exact, ref int told)
    {
        if (outcome == whole)
        {
            exact++;
            return;
        }

        Assert.True(outcome.StartsWith("told: ", StringComparison.Ordinal), $"{where}: opened as{outcome}\nand was{whole}");
        told++;
    }

    /// <summary>A journal that was closed: everything is in the database.</summary>
    private async Task<(Dictionary<string, byte[]> Files, string Contents)> ClosedAsync()
    {
        await using (var journal = Journal(root["j"]))
            await FillAsync(journal);
        var files = Files(root["j"]);
        return (files, await OpenAsync(files));
    }

    /// <summary>One that runs: the newest lies in the write-ahead log.</summary>
    private async Task<(Dictionary<string, byte[]> Files, string Contents)> RunningAsync()
    {
        await using (var journal = Journal(root["j"]))
            await FillAsync(journal);
        await using var again = Journal(root["j"]);
        await again.OpenAsync(default);
        for (var i = 41ul; i <= 60; i++)
            await again.WriteAsync(new(new(3, new(7), i - 1), [Entry(i)]));
        await again.WriteAsync(new(new(3, new(7), 60), [])); // a page or two
        var files = Files(root["j"]);
        return (files, await OpenAsync(files));
    }

    /// <summary>The files before and after a write of many pages that nobody was answered yet.</summary>
    private async Task<(Dictionary<string, byte[]> Before, Dictionary<string, byte[]> After, string Contents)> InterruptedAsync()
    {
        await using var journal = Journal(root["j"]);
        await journal.OpenAsync(default);
        for (var i = 1ul; i <= 20; i++)
            await journal.WriteAsync(new(new(3, new(7), i - 1), [Entry(i)]));
        var before = Files(root["j"]);
        await journal.WriteAsync(new(new(3, new(7), 20), [.. Enumerable.Range(21, 60).Select(i => Entry((ulong)i))]));
        return (before, Files(root["j"]), await OpenAsync(before));
    }

    private static Dictionary<string, byte[]> Mix(Dictionary<string, byte[]> before, Dictionary<string, byte[]> after) => new(before) { [Log] = after[Log] };

    private static async Task FillAsync(ISealedJournal journal)
    {
        await journal.OpenAsync(default);
        for (var i = 1ul; i <= 40; i++)
            await journal.WriteAsync(new(new(3, new(7), i - 1), [Entry(i)]));
        await journal.SaveSnapshotAsync(new(30, 3, Alone), Encoding.UTF8.GetBytes(new string('s', 100_000)), compactThrough: 10);
        await journal.WriteAsync(new(new(3, new(7), 40), []));
    }

    private static Entry Entry(ulong index) => new(index, 3, EntryKind.Command, Encoding.UTF8.GetBytes($"entry {index} {new string('e', 700)}"));

    private static Dictionary<string, byte[]> Flip(Dictionary<string, byte[]> files, string name, int at)
    {
        var bytes = (byte[])files[name].Clone();
        bytes[at] ^= (byte)(1 << (at % 8));
        return new(files) { [name] = bytes };
    }

    private static Dictionary<string, byte[]> Cut(Dictionary<string, byte[]> files, string name, int length) => new(files) { [name] = files[name][..length] };

    private static Dictionary<string, byte[]> Files(string directory)
    {
        Dictionary<string, byte[]> files = [];
        foreach (var name in (string[])[Database, Log, JournalKeys.FileName, JournalTip.FileName])
        {
            if (!File.Exists(Path.Combine(directory, name)))
                continue;
            using var file = new FileStream(Path.Combine(directory, name), FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var bytes = new byte[file.Length];
            file.ReadExactly(bytes);
            files[name] = bytes;
        }

        return files;
    }

    /// <summary>What a journal of these files is, in words, or what is told of it.</summary>
    private async Task<string> OpenAsync(Dictionary<string, byte[]> files)
    {
        var directory = root[$"attempt-{attempts++}"];
        Directory.CreateDirectory(directory);
        foreach (var (name, bytes) in files)
        {
            await File.WriteAllBytesAsync(Path.Combine(directory, name), bytes);
            File.SetUnixFileMode(Path.Combine(directory, name), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        try
        {
            await using var journal = Journal(directory);
            var contents = await journal.OpenAsync(default);
            var snapshot = await journal.ReadSnapshotAsync(default);
            var text = new StringBuilder($" {contents.HardState} snapshot {contents.Snapshot.Index} {contents.Snapshot.Term} {Convert.ToHexString(contents.Snapshot.Membership.Encode())}");
            if (snapshot is var (meta, state))
                text.Append($" {meta.Index} {Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(state.Span))}");
            foreach (var entry in contents.Entries)
                text.Append($" {entry.Index}.{entry.Term}.{entry.Kind}.{Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(entry.Data.Span).AsSpan(0, 8))}");
            return text.ToString();
        }
        catch (JournalException e)
        {
            return "told: " + e.Message;
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private ISealedJournal Journal(string directory) => Journals.Open(new() { Directory = directory, PersistenceId = "raft", Log = sentences });

    private sealed class Sentences : List<string>, ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Add(formatter(state, exception));
    }
}
