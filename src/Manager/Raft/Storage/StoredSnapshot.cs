using System.Buffers.Binary;
using System.Security.Cryptography;
using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Manager.Raft.Storage;

/// <summary>A snapshot's row, opened: which pieces its state is in, or, in journals of format 1, the state itself.</summary>
internal sealed record StoredSnapshot(SnapshotMeta Meta, long Series, long Length, ReadOnlyMemory<byte>? Whole)
{
    /// <summary>The length of every piece but the last.</summary>
    internal const int PieceBytes = WholeSnapshotReader.PieceBytes;

    /// <summary>The key that the row is sealed under; a journal in clear needs none.</summary>
    internal uint Key { get; init; } = uint.MaxValue;

    internal int Pieces => Whole is null ? (int)((Length + PieceBytes - 1) / PieceBytes) : 0;

    /// <summary>The row's payload: series, length, the pieces' length, and the members, whose column is for people.</summary>
    internal SnapshotRow Seal(JournalSeal seal)
    {
        var members = Meta.Membership.Encode();
        var plain = new byte[20 + members.Length];
        BinaryPrimitives.WriteInt64BigEndian(plain, Series);
        BinaryPrimitives.WriteInt64BigEndian(plain.AsSpan(8), Length);
        BinaryPrimitives.WriteInt32BigEndian(plain.AsSpan(16), PieceBytes);
        members.CopyTo(plain.AsSpan(20));
        return new(
            Meta.Index, Meta.Term, MembershipText.Write(Meta.Membership), JournalManifest.SealedPrefix + JournalManifest.Pieces,
            seal.Seal(JournalManifest.Pieces, Meta.Index, Meta.Term, plain));
    }

    internal static StoredSnapshot Of(SnapshotRow row, JournalSeal seal, JournalDamage damage)
    {
        var manifest = JournalManifest.Clear(row.Manifest);
        if (manifest is not (JournalManifest.State or JournalManifest.Pieces))
            throw damage.Of($"snapshot {row.Index} is stored as '{row.Manifest}', which this version does not know");
        try
        {
            var meta = new SnapshotMeta(row.Index, row.Term, MembershipText.Read(row.Voters));
            var key = JournalManifest.IsSealed(row.Manifest) ? JournalSeal.KeyNumber(row.Payload) : uint.MaxValue;
            var payload = JournalManifest.IsSealed(row.Manifest) ? seal.Open(manifest, row.Index, row.Term, row.Payload) : row.Payload;
            if (manifest == JournalManifest.State)
                return new(meta, 0, payload.Length, payload) { Key = key };
            var members = payload.AsSpan(20);
            if (!members.SequenceEqual(meta.Membership.Encode()))
                throw damage.Of($"snapshot {row.Index} names other members than were written");
            if (BinaryPrimitives.ReadInt32BigEndian(payload.AsSpan(16)) is not PieceBytes and var other)
                throw damage.Of($"snapshot {row.Index} is in pieces of {other} bytes, which this version does not read");
            return new(meta, BinaryPrimitives.ReadInt64BigEndian(payload), BinaryPrimitives.ReadInt64BigEndian(payload.AsSpan(8)), null) { Key = key };
        }
        catch (Exception e) when (e is CryptographicException or FormatException or OverflowException or ArgumentOutOfRangeException)
        {
            throw damage.Of($"snapshot {row.Index} cannot be opened: {e.Message}", e);
        }
    }

    /// <summary>The first piece that is not in the store, or null.</summary>
    internal int? MissingPiece(IReadOnlyList<PieceRange> stored)
    {
        if (Pieces == 0)
            return null;
        var (_, from, to) = stored.FirstOrDefault(s => s.Series == Series);
        return from > 0 ? 0 : to < Pieces ? to : null;
    }

    /// <summary>A piece as it was written.</summary>
    internal ReadOnlyMemory<byte> Open(int number, byte[]? stored, JournalSeal seal, JournalDamage damage)
    {
        try
        {
            var bytes = seal.Open(JournalManifest.Piece, (ulong)Series, (ulong)number, stored);
            if (bytes.Length != Math.Min(PieceBytes, Length - ((long)number * PieceBytes)))
                throw damage.Of($"piece {number} of snapshot {Meta.Index} has {bytes.Length} bytes");
            return bytes;
        }
        catch (CryptographicException e)
        {
            throw damage.Of($"piece {number} of snapshot {Meta.Index} cannot be opened: {e.Message}", e);
        }
    }
}
