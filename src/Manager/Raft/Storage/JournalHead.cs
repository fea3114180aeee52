using System.Buffers.Binary;
using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Manager.Raft.Storage;

/// <summary>What a journal says of itself, written with every transaction: what must be there when it is opened again.</summary>
/// <param name="Writes">Transactions so far.</param>
/// <param name="First">The first entry that is kept; one after the last when there is none.</param>
/// <param name="Last">The last entry, or where the next one follows.</param>
/// <param name="Snapshot">The newest snapshot's index; zero: none.</param>
internal readonly record struct JournalHead(HardState HardState, ulong Writes, ulong First, ulong Last, ulong Snapshot)
{
    internal static readonly JournalHead New = new(default, 0, 1, 0, 0);

    internal const int Bytes = 7 * sizeof(ulong);

    internal ulong Count => Last + 1 - First;

    /// <summary>Seven numbers of 64 bits, big-endian.</summary>
    internal void Encode(Span<byte> into)
    {
        foreach (var number in (ReadOnlySpan<ulong>)[HardState.Term, HardState.Vote.Value, HardState.Commit, Writes, First, Last, Snapshot])
        {
            BinaryPrimitives.WriteUInt64BigEndian(into, number);
            into = into[sizeof(ulong)..];
        }
    }

    internal static JournalHead Decode(ReadOnlySpan<byte> bytes)
    {
        Span<ulong> n = stackalloc ulong[7];
        for (var i = 0; i < n.Length; i++)
            n[i] = BinaryPrimitives.ReadUInt64BigEndian(bytes[(i * sizeof(ulong))..]);
        return new(new(n[0], new(n[1]), n[2]), n[3], n[4], n[5], n[6]);
    }
}
