using Orchestrator.Manager.Raft.Core;
using Orchestrator.Manager.Raft.Storage;

namespace Orchestrator.Tests.Unit.Manager.Raft.Storage;

public sealed class JournalBatchTests : IDisposable
{
    private static readonly JournalHead Ten = new(new(1, new(1), 8), 5, 1, 10, 0);
    private readonly DirectoryInfo directory = Directory.CreateTempSubdirectory("orch-batch-");
    private readonly JournalSeal seal;

    public JournalBatchTests() => seal = new(JournalKeys.Create(new JournalKeyFile(directory.FullName, _ => { }), TimeProvider.System), "unit");

    public void Dispose()
    {
        seal.Dispose();
        directory.Delete(recursive: true);
    }

    [Fact]
    public void Writes_that_replace_each_other_leave_what_the_last_says()
    {
        var batch = new JournalBatch(Ten);
        batch.Write(new(new(2, new(2), 8), [Entry(11, 2), Entry(12, 2), Entry(13, 2)]));
        batch.Write(new(new(3, new(2), 9), [Entry(10, 3), Entry(11, 3)]));
        var rows = batch.Close(seal);
        Assert.Equal(10ul, rows.CutFrom);
        Assert.Equal([(10ul, 3ul), (11ul, 3ul)], rows.Entries.Select(e => (e.Index, e.Term)));
        Assert.Equal(new JournalHead(new(3, new(2), 9), 6, 1, 11, 0), rows.Head.Head);
    }

    [Fact]
    public void What_does_not_follow_is_refused()
    {
        Assert.Throws<InvalidOperationException>(() => new JournalBatch(Ten).Write(new(null, [Entry(12, 1)])));
        Assert.Throws<InvalidOperationException>(() => new JournalBatch(Ten with { First = 5 }).Write(new(null, [Entry(4, 1)])));
    }

    [Fact]
    public void Forgetting_never_takes_the_last_entry()
    {
        var batch = new JournalBatch(Ten);
        batch.Forget(99);
        Assert.Equal((10ul, 10ul), (batch.Close(seal).ForgetBelow, batch.Head.First));
    }

    [Fact]
    public void An_installed_snapshot_is_followed_by_the_next_entry()
    {
        var batch = new JournalBatch(Ten);
        batch.Write(new(null, [Entry(11, 1)]));
        batch.Install(new(20, 4, "1", "sealed-pieces", []), new(4, default, 20));
        batch.Write(new(null, [Entry(21, 4)]));
        var rows = batch.Close(seal);
        Assert.Equal((0ul, 20ul), (rows.CutFrom, rows.Snapshot!.Index));
        Assert.Equal([21ul], rows.Entries.Select(e => e.Index));
        Assert.Equal((21ul, 21ul, 20ul), (batch.Head.First, batch.Head.Last, batch.Head.Snapshot));
    }

    [Fact]
    public void No_nonce_comes_twice_under_one_key_and_what_is_sealed_opens_only_in_its_place()
    {
        var payload = new byte[100];
        var rows = Enumerable.Range(0, 100).Select(_ => seal.Seal("command", 7, 1, payload)).ToList(); // the same index again and again
        Assert.Equal(100, rows.Select(r => Convert.ToHexString(r.AsSpan(5, 24))).Distinct().Count());
        Assert.Equal(payload, seal.Open("command", 7, 1, rows[0]));
        foreach (var (kind, index, term) in (ReadOnlySpan<(string, ulong, ulong)>)[("empty", 7, 1), ("command", 8, 1), ("command", 7, 2)])
            Assert.ThrowsAny<System.Security.Cryptography.CryptographicException>(() => seal.Open(kind, index, term, rows[0]));
    }

    private static Entry Entry(ulong index, ulong term) => new(index, term, EntryKind.Command, new byte[] { 1 });
}
