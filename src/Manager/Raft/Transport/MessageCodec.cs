using System.Buffers;
using System.Collections.Immutable;
using Orchestrator.Manager.Raft.Core;
using Orchestrator.Shared.Rpc;

namespace Orchestrator.Manager.Raft.Transport;

/// <summary>
/// The binary form of a message: version byte, kind, flags, then unsigned LEB128 numbers in the order of the fields; silent
/// members as count and numbers; entries as count and (index, term, kind, length, bytes); a piece of a snapshot as
/// index, term, membership, bytes, digest, the last three with their lengths before them.
/// </summary>
internal sealed class MessageCodec : RpcCodec<Message>
{
    internal static readonly MessageCodec Instance = new();

    private const byte Version = 3;
    private const byte Rejects = 1, Transfers = 2, HasSnapshot = 4;

    public override string ContentSuffix => "";

    public override void Write(Message value, IBufferWriter<byte> target)
    {
        var flags = (value.Reject ? Rejects : 0) | (value.Transfer ? Transfers : 0) | (value.Snapshot is null ? 0 : HasSnapshot);
        target.Write([Version, (byte)value.Kind, (byte)flags]);
        Number(target, value.From.Value);
        Number(target, value.To.Value);
        Number(target, value.Term);
        Number(target, value.LogIndex);
        Number(target, value.LogTerm);
        Number(target, value.Commit);
        Number(target, value.Hint);
        Number(target, value.HintTerm);
        Number(target, value.Context);
        Number(target, (ulong)value.Offset);
        Number(target, (ulong)value.Length);
        Number(target, (ulong)value.Silent.Length);
        foreach (var peer in value.Silent)
            Number(target, peer.Value);
        Number(target, (ulong)value.Entries.Count);
        foreach (var entry in value.Entries)
        {
            Number(target, entry.Index);
            Number(target, entry.Term);
            target.Write([(byte)entry.Kind]);
            Bytes(target, entry.Data);
        }

        if (value.Snapshot is not { } snapshot)
            return;
        Number(target, snapshot.Index);
        Number(target, snapshot.Term);
        Bytes(target, snapshot.Membership.Encode());
        Bytes(target, value.SnapshotData);
        Bytes(target, value.Digest);
    }

    public override Message Read(ReadOnlySequence<byte> bytes)
    {
        // One copy for the whole message: its entries are views of it.
        var reader = new Cursor(bytes.ToArray());
        if (Byte(ref reader) is var version and not Version)
            throw new FormatException($"a raft message of version {version}; this manager speaks {Version}");
        var kind = (MessageKind)Byte(ref reader);
        if (!Enum.IsDefined(kind))
            throw new FormatException($"a raft message of unknown kind {(byte)kind}");
        var flags = Byte(ref reader);
        var message = new Message
        {
            Kind = kind,
            Reject = (flags & Rejects) != 0,
            Transfer = (flags & Transfers) != 0,
            From = new(Number(ref reader)),
            To = new(Number(ref reader)),
            Term = Number(ref reader),
            LogIndex = Number(ref reader),
            LogTerm = Number(ref reader),
            Commit = Number(ref reader),
            Hint = Number(ref reader),
            HintTerm = Number(ref reader),
            Context = Number(ref reader),
            Offset = Position(ref reader),
            Length = Position(ref reader),
            Silent = Peers(ref reader),
            Entries = Entries(ref reader),
        };
        if ((flags & HasSnapshot) != 0)
        {
            var (index, term) = (Number(ref reader), Number(ref reader));
            message = message with
            {
                Snapshot = new(index, term, Membership.Decode(Bytes(ref reader).Span)), SnapshotData = Bytes(ref reader), Digest = Bytes(ref reader),
            };
        }

        return reader.Remaining == 0 ? message : throw new FormatException("something follows the raft message");
    }

    private static ImmutableArray<PeerId> Peers(ref Cursor reader)
    {
        var peers = ImmutableArray.CreateBuilder<PeerId>(Count(ref reader));
        for (var n = peers.Capacity; n > 0; n--)
            peers.Add(new(Number(ref reader)));
        return peers.MoveToImmutable();
    }

    private static Entry[] Entries(ref Cursor reader)
    {
        var entries = new Entry[Count(ref reader)];
        for (var i = 0; i < entries.Length; i++)
        {
            var (index, term, kind) = (Number(ref reader), Number(ref reader), (EntryKind)Byte(ref reader));
            if (!Enum.IsDefined(kind))
                throw new FormatException($"entry {index} is of unknown kind {(byte)kind}");
            entries[i] = new(index, term, kind, Bytes(ref reader));
        }

        return entries;
    }

    private static void Number(IBufferWriter<byte> target, ulong value)
    {
        var span = target.GetSpan(10);
        var n = 0;
        for (; value >= 0x80; value >>= 7)
            span[n++] = (byte)(value | 0x80);
        span[n++] = (byte)value;
        target.Advance(n);
    }

    private static ulong Number(ref Cursor reader)
    {
        var value = 0ul;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var b = Byte(ref reader);
            if (shift == 63 && b > 1)
                break;
            value |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80)
                return value;
        }

        throw new FormatException("a number in a raft message is too long");
    }

    /// <summary>A count of things of at least one byte each: never more than bytes are left, so that nobody makes us reserve memory.</summary>
    private static int Count(ref Cursor reader)
    {
        var count = Number(ref reader);
        return count <= (ulong)reader.Remaining ? (int)count : throw new FormatException("a raft message announces more than it holds");
    }

    private static long Position(ref Cursor reader) =>
        Number(ref reader) is var number and <= long.MaxValue ? (long)number : throw new FormatException("a raft message speaks of more bytes than there can be");

    private static byte Byte(ref Cursor reader) => reader.Remaining > 0 ? reader.Byte() : throw new FormatException("a raft message ends too early");

    private static void Bytes(IBufferWriter<byte> target, ReadOnlyMemory<byte> bytes)
    {
        Number(target, (ulong)bytes.Length);
        target.Write(bytes.Span);
    }

    private static ReadOnlyMemory<byte> Bytes(ref Cursor reader) => reader.Bytes(Count(ref reader));

    private struct Cursor(byte[] bytes)
    {
        private int at;

        internal readonly int Remaining => bytes.Length - at;

        internal byte Byte() => bytes[at++];

        internal ReadOnlyMemory<byte> Bytes(int count)
        {
            at += count;
            return bytes.AsMemory(at - count, count);
        }
    }
}
