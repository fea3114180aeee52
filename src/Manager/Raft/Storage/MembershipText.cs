using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Manager.Raft.Core;

namespace Orchestrator.Manager.Raft.Storage;

/// <summary>Members as a column that people can read: voters in hexadecimal, then <c>| outgoing | learners</c> where there are any.</summary>
internal static class MembershipText
{
    internal static string Write(Membership members) => members is { IsJoint: false, Learners.IsEmpty: true }
        ? string.Join(' ', members.Voters)
        : $"{string.Join(' ', members.Voters)} | {string.Join(' ', members.Outgoing)} | {string.Join(' ', members.Learners)}";

    internal static Membership Read(string text)
    {
        var lists = text.Split('|').Select(List).ToList();
        return new(lists[0], lists.Count > 1 ? lists[1] : [], lists.Count > 2 ? lists[2] : []);
    }

    private static ImmutableArray<PeerId> List(string text) =>
    [
        .. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(p => new PeerId(ulong.Parse(p, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture))),
    ];
}
