using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Orchestrator.Shared.Model;

/// <summary>An IPv4 range in CIDR form, its address with host bits cleared; numbers are in host byte order.</summary>
public readonly record struct Ipv4Subnet(uint Address, int PrefixLength)
{
    /// <summary>How many addresses, the network's and the broadcast's included.</summary>
    public ulong Size => 1UL << (32 - PrefixLength);

    /// <summary>The last address, which is the broadcast's.</summary>
    public uint Last => (uint)(Address + (Size - 1));

    public bool Contains(uint address) => address >= Address && address <= Last;

    public bool Contains(Ipv4Subnet other) => other.Address >= Address && other.Last <= Last;

    public bool Overlaps(Ipv4Subnet other) => Address <= other.Last && other.Address <= Last;

    /// <summary>Reads <c>10.0.1.0/24</c>; null for anything else, host bits set included.</summary>
    public static Ipv4Subnet? Parse(string? text)
    {
        var slash = text?.IndexOf('/', StringComparison.Ordinal) ?? -1;
        if (slash < 0 || ParseAddress(text![..slash]) is not { } address
            || !int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var prefix) || prefix > 32)
            return null;
        var subnet = new Ipv4Subnet(address, prefix);
        return (address & (uint)(subnet.Size - 1)) == 0 ? subnet : null;
    }

    /// <summary>Reads a dotted quad; null for anything else.</summary>
    public static uint? ParseAddress(string? text)
    {
        if (text is null || text.Count(c => c == '.') != 3 || !IPAddress.TryParse(text, out var address) || address.AddressFamily != AddressFamily.InterNetwork)
            return null;
        var bytes = address.GetAddressBytes();
        return System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(bytes);
    }

    public static string Format(uint address) =>
        string.Create(CultureInfo.InvariantCulture, $"{address >> 24}.{(address >> 16) & 255}.{(address >> 8) & 255}.{address & 255}");

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Format(Address)}/{PrefixLength}");
}
