using System.Buffers.Binary;
using System.Collections.Immutable;

namespace Orchestrator.Manager.Raft.Core;

/// <summary>
/// Who votes and who only listens. While one set of voters replaces another both must agree to everything (thesis, section 4.3,
/// joint consensus); learners receive the log and count nowhere (section 4.2.1).
/// </summary>
/// <param name="Voters">Who votes, or will when the change is done.</param>
/// <param name="Outgoing">Who voted before; empty unless a change is under way.</param>
/// <param name="Learners">Who only receives.</param>
internal sealed record Membership(ImmutableArray<PeerId> Voters, ImmutableArray<PeerId> Outgoing, ImmutableArray<PeerId> Learners)
{
    internal static readonly Membership None = new([], [], []);

    internal static Membership Of(IEnumerable<PeerId> voters) => new([.. voters.Order()], [], []);

    internal bool IsJoint => !Outgoing.IsEmpty;

    /// <summary>Everybody the leader sends to, in order.</summary>
    internal IEnumerable<PeerId> Peers => Voters.Concat(Outgoing).Concat(Learners).Distinct().Order();

    /// <summary>Everybody whose vote is asked for, in order.</summary>
    internal IEnumerable<PeerId> Electors => Voters.Concat(Outgoing).Distinct().Order();

    internal bool IsVoter(PeerId peer) => Voters.Contains(peer) || Outgoing.Contains(peer);

    internal bool IsMember(PeerId peer) => IsVoter(peer) || Learners.Contains(peer);

    /// <summary>The peer decides everything alone.</summary>
    internal bool IsSole(PeerId peer) => !IsJoint && Voters is [var only] && only == peer;

    /// <summary>There is nobody to hear from.</summary>
    internal bool IsAlone(PeerId peer) => IsSole(peer) && Learners.IsEmpty;

    /// <summary>The first half of a change: old and new voters together. A change of learners alone needs no second half.</summary>
    internal Membership Change(IEnumerable<PeerId> voters, IEnumerable<PeerId> learners)
    {
        var next = Of(voters) with { Learners = [.. learners.Order()] };
        return next.Voters.SequenceEqual(Voters) ? next : next with { Outgoing = Voters };
    }

    /// <summary>The second half.</summary>
    internal Membership Leave() => this with { Outgoing = [] };

    /// <summary>The highest index that a majority, in a change a majority of both sets, holds.</summary>
    internal ulong Committed(Func<PeerId, ulong> match) =>
        IsJoint ? Math.Min(Quorum.Committed(Matches(Voters, match)), Quorum.Committed(Matches(Outgoing, match))) : Quorum.Committed(Matches(Voters, match));

    internal Tally Count(IReadOnlyDictionary<PeerId, bool> votes)
    {
        var incoming = Count(Voters, votes);
        if (!IsJoint)
            return incoming;
        var outgoing = Count(Outgoing, votes);
        return incoming == Tally.Lost || outgoing == Tally.Lost ? Tally.Lost
            : incoming == Tally.Won && outgoing == Tally.Won ? Tally.Won
            : Tally.Pending;
    }

    internal bool HasQuorum(Func<PeerId, bool> has) =>
        Voters.Count(has) >= Quorum.Majority(Voters.Length) && (!IsJoint || Outgoing.Count(has) >= Quorum.Majority(Outgoing.Length));

    /// <summary>Three lists, each a 32-bit count and 64-bit numbers, little-endian.</summary>
    internal byte[] Encode()
    {
        var bytes = new byte[(3 * sizeof(int)) + (sizeof(ulong) * (Voters.Length + Outgoing.Length + Learners.Length))];
        var rest = bytes.AsSpan();
        foreach (var list in (ReadOnlySpan<ImmutableArray<PeerId>>)[Voters, Outgoing, Learners])
        {
            BinaryPrimitives.WriteInt32LittleEndian(rest, list.Length);
            rest = rest[sizeof(int)..];
            foreach (var peer in list)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(rest, peer.Value);
                rest = rest[sizeof(ulong)..];
            }
        }

        return bytes;
    }

    /// <exception cref="FormatException">The bytes are none of <see cref="Encode"/>'s.</exception>
    internal static Membership Decode(ReadOnlySpan<byte> bytes)
    {
        var (voters, outgoing, learners) = (List(ref bytes), List(ref bytes), List(ref bytes));
        return bytes.IsEmpty ? new(voters, outgoing, learners) : throw new FormatException("something follows the membership");
    }

    private static ImmutableArray<PeerId> List(ref ReadOnlySpan<byte> bytes)
    {
        var count = bytes.Length >= sizeof(int) ? BinaryPrimitives.ReadInt32LittleEndian(bytes) : -1;
        if (count < 0 || count > (bytes.Length - sizeof(int)) / sizeof(ulong))
            throw new FormatException("a membership ends too early");
        var peers = ImmutableArray.CreateBuilder<PeerId>(count);
        for (var i = 0; i < count; i++)
            peers.Add(new(BinaryPrimitives.ReadUInt64LittleEndian(bytes[(sizeof(int) + (i * sizeof(ulong)))..])));
        bytes = bytes[(sizeof(int) + (count * sizeof(ulong)))..];
        return peers.MoveToImmutable();
    }

    private static Tally Count(ImmutableArray<PeerId> voters, IReadOnlyDictionary<PeerId, bool> votes) => Quorum.Count(
        voters.Length, voters.Count(v => votes.TryGetValue(v, out var yes) && yes), voters.Count(v => votes.TryGetValue(v, out var yes) && !yes));

    private static ReadOnlySpan<ulong> Matches(ImmutableArray<PeerId> voters, Func<PeerId, ulong> match)
    {
        var matches = new ulong[voters.Length];
        for (var i = 0; i < matches.Length; i++)
            matches[i] = match(voters[i]);
        return matches;
    }
}
