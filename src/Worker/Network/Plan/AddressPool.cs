using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Net;

namespace Orchestrator.Worker.Network.Plan;

/// <summary>
/// The addresses of one subnet. Allocation goes round, so that a freed address rests as long as it can before its next use:
/// its last owner's namespace may still be on its way out.
/// </summary>
internal sealed record AddressPool
{
    private readonly uint first;
    private readonly uint last;
    private readonly uint next;
    private readonly ImmutableHashSet<uint> used;

    internal AddressPool(Subnet subnet)
    {
        Prefix = subnet.Prefix;
        var start = Number(subnet.Prefix.BaseAddress);
        var size = 1UL << (32 - subnet.Prefix.PrefixLength);
        // Network and broadcast address are nobody's, except in ranges too small to have them (RFC 3021).
        (first, last) = size > 2 ? (start + 1, (uint)(start + size - 2)) : (start, (uint)(start + size - 1));
        next = first;
        used = [Number(subnet.Gateway)];
    }

    internal IPNetwork Prefix { get; }

    internal bool Contains(IPAddress address) => Number(address) is var number && number >= first && number <= last;

    internal bool IsUsed(IPAddress address) => used.Contains(Number(address));

    /// <summary>The next free address, or null when every one is used.</summary>
    internal (AddressPool Pool, IPAddress Address)? Allocate()
    {
        var candidate = next;
        do
        {
            var following = candidate == last ? first : candidate + 1;
            if (!used.Contains(candidate))
                return (With(used.Add(candidate), following), Address(candidate));
            candidate = following;
        }
        while (candidate != next);
        return null;
    }

    internal AddressPool Reserve(IPAddress address) => With(used.Add(Number(address)), next);

    internal AddressPool Release(IPAddress address) => With(used.Remove(Number(address)), next);

    private AddressPool(AddressPool from, ImmutableHashSet<uint> used, uint next)
    {
        (Prefix, first, last) = (from.Prefix, from.first, from.last);
        this.used = used;
        this.next = next;
    }

    private AddressPool With(ImmutableHashSet<uint> nowUsed, uint nowNext) => new(this, nowUsed, nowNext);

    private static uint Number(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[4];
        return address.TryWriteBytes(bytes, out _) ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : throw new ArgumentException($"{address} is not IPv4");
    }

    private static IPAddress Address(uint number)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, number);
        return new IPAddress(bytes);
    }
}
