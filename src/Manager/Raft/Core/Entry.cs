using System.Globalization;

namespace Orchestrator.Manager.Raft.Core;

/// <summary>A voter's number in the cluster; zero is nobody.</summary>
internal readonly record struct PeerId(ulong Value) : IComparable<PeerId>
{
    internal static readonly PeerId None;

    internal bool IsNone => Value == 0;

    public int CompareTo(PeerId other) => Value.CompareTo(other.Value);

    public override string ToString() => Value.ToString("x", CultureInfo.InvariantCulture);

    public static bool operator <(PeerId a, PeerId b) => a.Value < b.Value;
    public static bool operator >(PeerId a, PeerId b) => a.Value > b.Value;
    public static bool operator <=(PeerId a, PeerId b) => a.Value <= b.Value;
    public static bool operator >=(PeerId a, PeerId b) => a.Value >= b.Value;
}

/// <summary>What an entry's bytes mean. Numbers are stored on disk.</summary>
internal enum EntryKind : byte
{
    /// <summary>Bytes for the replicated machine.</summary>
    Command = 0,

    /// <summary>A new leader's first entry, without bytes: it commits what earlier terms left (paper, section 5.4.2).</summary>
    Empty = 1,

    /// <summary>Who votes from here on: counts as soon as it is in the log, committed or not (thesis, section 4.1).</summary>
    Membership = 2,
}

/// <summary>One place in the log.</summary>
internal readonly record struct Entry(ulong Index, ulong Term, EntryKind Kind, ReadOnlyMemory<byte> Data);

/// <summary>What must be on disk before a vote or an acknowledgement leaves this node (paper, figure 2, "persistent state").</summary>
internal readonly record struct HardState(ulong Term, PeerId Vote, ulong Commit);

/// <summary>What a snapshot stands for: the log through <paramref name="Index"/> and who was a member there.</summary>
internal sealed record SnapshotMeta(ulong Index, ulong Term, Membership Membership)
{
    internal static readonly SnapshotMeta None = new(0, 0, Membership.None);
}
