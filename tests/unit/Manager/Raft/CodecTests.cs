using System.Buffers;
using Orchestrator.Manager.Raft.Core;
using Orchestrator.Manager.Raft.Storage;
using Orchestrator.Manager.Raft.Transport;

namespace Orchestrator.Tests.Unit.Manager.Raft;

public sealed class CodecTests
{
    private static readonly Message Full = new()
    {
        Kind = MessageKind.Snapshot, From = new(1), To = new(ulong.MaxValue), Term = 300, LogIndex = 1 << 20, LogTerm = 2, Commit = 127, Hint = 128,
        HintTerm = 3, Reject = true, Transfer = true, Entries = [new(5, 2, EntryKind.Command, "text"u8.ToArray()), new(6, 3, EntryKind.Empty, default)],
        Snapshot = new(9, 3, new([new(1), new(2)], [new(2), new(3)], [new(4)])), SnapshotData = "state"u8.ToArray(),
        Context = 1ul << 60, Silent = [new(3), new(5)], Offset = 262144, Length = long.MaxValue, Digest = "digest"u8.ToArray(),
    };

    [Fact]
    public void A_message_comes_back_as_it_went()
    {
        var back = MessageCodec.Instance.Read(new(Bytes(Full)));
        Assert.Equal(Bytes(Full), Bytes(back));
        Assert.Equal((Full.To, Full.LogIndex, true, true), (back.To, back.LogIndex, back.Reject, back.Transfer));
        Assert.Equal("text"u8, back.Entries[0].Data.Span);
        Assert.Equal((Full.Context, Full.Offset, Full.Length), (back.Context, back.Offset, back.Length));
        Assert.Equal([new PeerId(3), new PeerId(5)], back.Silent);
        Assert.Equal([new PeerId(1), new PeerId(2)], back.Snapshot!.Membership.Voters);
    }

    [Fact]
    public void Every_cut_and_every_surplus_is_refused()
    {
        var bytes = Bytes(Full);
        for (var length = 0; length < bytes.Length; length++)
            Assert.Throws<FormatException>(() => MessageCodec.Instance.Read(new(bytes, 0, length)));
        Assert.Throws<FormatException>(() => MessageCodec.Instance.Read(new([.. bytes, 0])));
        Assert.Throws<FormatException>(() => MessageCodec.Instance.Read(new([1, .. bytes[1..]])));
    }

    [Theory]
    [InlineData(new ulong[] { 7 }, 7)]
    [InlineData(new ulong[] { 7, 3 }, 3)]
    [InlineData(new ulong[] { 7, 3, 5 }, 5)]
    [InlineData(new ulong[] { 9, 1, 1, 9 }, 1)]
    [InlineData(new ulong[] { 9, 1, 1, 9, 4 }, 4)]
    public void The_quorum_holds_the_middle(ulong[] matches, ulong committed) => Assert.Equal(committed, Quorum.Committed(matches));

    [Theory]
    [InlineData("1/1 2/1 3/2", 0, 3, null)]
    [InlineData("1/1 3/1", 0, 1, "entries 2 to 2 are missing in the middle")]
    [InlineData("1/2 2/1", 0, 1, "entry 2 has term 1")]
    [InlineData("8/1 9/1", 6, 8, "entries 7 to 7, after the snapshot, are missing")]
    [InlineData("5/1 6/1", 6, 6, null)]
    [InlineData("4/1 5/1", 6, 6, "end at 5, before the snapshot 6")]
    [InlineData("1/1", 0, 2, "ends at entry 1, but entry 2 was committed")]
    [InlineData("1/9", 0, 1, "entry 1 has term 9")]
    [InlineData("", 6, 6, null)]
    public void A_journal_with_lost_entries_is_named_as_damaged(string log, ulong snapshot, ulong commit, string? problem)
    {
        Entry[] entries = [.. log.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(e => e.Split('/')).Select(
            e => new Entry(ulong.Parse(e[0], null), ulong.Parse(e[1], null), EntryKind.Command, default))];
        var found = JournalCheck.Problem(new(new(2, default, commit), new(snapshot, 1, Membership.None), entries));
        if (problem is null)
            Assert.Null(found);
        else
            Assert.Contains(problem, found, StringComparison.Ordinal);
    }

    private static byte[] Bytes(Message message)
    {
        var buffer = new ArrayBufferWriter<byte>();
        MessageCodec.Instance.Write(message, buffer);
        return buffer.WrittenSpan.ToArray();
    }
}
