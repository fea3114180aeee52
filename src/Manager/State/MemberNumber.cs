using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.State;

/// <summary>
/// A manager's number in the consensus. Raft counts on it that who voted and who stored an entry under a number never forgets: so a number
/// goes with one journal, is drawn when that begins empty, and is never used again. Were it the node's own, a manager that was demoted and
/// promoted would vote as one that remembers, with an empty disk, for somebody who missed both; what was acknowledged meanwhile would be lost.
/// </summary>
internal static class MemberNumber
{
    /// <summary>A fresh one, never zero.</summary>
    internal static ulong Draw(RandomFill random)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        ulong number;
        do
        {
            random(bytes);
            number = BinaryPrimitives.ReadUInt64BigEndian(bytes);
        }
        while (number == 0);
        return number;
    }

    /// <param name="drawn">Null for a manager whose journal began before numbers were drawn: its number is made from its node's id.</param>
    internal static MemberKey Of(NodeId node, ulong? drawn) => new(drawn ?? Derived(node));

    private static ulong Derived(NodeId node) => BinaryPrimitives.ReadUInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes(node.Value))) | 1;
}
