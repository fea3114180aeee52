using System.Buffers.Binary;
using System.Net;
using System.Net.NetworkInformation;
using System.Security.Cryptography;
using System.Text;

namespace Orchestrator.Worker.Network.Plan;

/// <summary>Names on the host, derived from the instance id so that instances do not meet. A link name has at most 15 characters.</summary>
internal readonly record struct LinkNames(string InstanceId)
{
    internal string Table => $"orch-{InstanceId}";

    /// <summary>Begins every link of this instance.</summary>
    internal string Prefix => $"or{InstanceId}";

    internal string BridgePrefix => Prefix + "b";

    internal string VethPrefix => Prefix + "v";

    internal string Bridge(string networkId) => BridgePrefix + Digest(networkId)[..6];

    /// <summary>The host's end of a container's n-th interface.</summary>
    internal string Veth(string sandboxId, int index) => VethPrefix + Digest($"{sandboxId}/{index}")[..6];

    /// <summary>
    /// A MAC that the address determines, as Docker's 02:42: whoever gets the address next has the same one, and no neighbour's cache is stale.
    /// </summary>
    internal static PhysicalAddress Mac(IPAddress address)
    {
        Span<byte> mac = [0x02, 0x42, 0, 0, 0, 0];
        address.TryWriteBytes(mac[2..], out _);
        return new PhysicalAddress(mac.ToArray());
    }

    private static string Digest(string text)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(Encoding.UTF8.GetBytes(text), hash);
        return (BinaryPrimitives.ReadUInt32BigEndian(hash) >> 8).ToString("x6");
    }
}
