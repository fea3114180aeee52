using System.Security.Cryptography;

namespace Orchestrator.Manager.Raft.Core;

/// <summary>A leader's snapshot as far as it has come, in order. Another leader's of the same place goes on with it: states are equal, and the digest says so.</summary>
internal sealed class SnapshotIntake(ulong index, ulong term, long length)
{
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    internal ulong Index => index;

    internal ulong Term => term;

    internal long Length => length;

    internal long Held { get; private set; }

    internal bool IsWhole => Held == length;

    /// <summary>False: it is not the piece that comes next.</summary>
    internal bool Take(long offset, ReadOnlySpan<byte> piece)
    {
        if (offset != Held || piece.Length > length - Held || (piece.IsEmpty && !IsWhole))
            return false;
        hash.AppendData(piece);
        Held += piece.Length;
        return true;
    }

    internal bool HasDigest(ReadOnlySpan<byte> digest) => hash.GetHashAndReset().AsSpan().SequenceEqual(digest);
}
