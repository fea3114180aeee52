using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Containers.Plan;

/// <summary>
/// The ids that <c>--userns-remap</c> names: <c>default</c>, <c>USER[:GROUP]</c> or <c>UID[:GID]</c>, whose ranges stand in subuid(5) and
/// subgid(5). The container's ids from 0 on are these ranges one after the other, as Docker does it.
/// </summary>
internal static class RemapPlan
{
    /// <summary>Whose ids <c>default</c> takes: the name that Docker uses, so that a host set up for it needs nothing new.</summary>
    internal const string DefaultUser = "dockremap";

    private const uint LeastIds = 65536;

    /// <param name="flag">What was given.</param>
    /// <param name="subuid">Text of /etc/subuid.</param>
    /// <param name="subgid">Text of /etc/subgid.</param>
    /// <param name="passwd">Text of /etc/passwd.</param>
    /// <param name="group">Text of /etc/group.</param>
    /// <returns>The mapping, or why there is none.</returns>
    internal static (UserRemap? Remap, string? Problem) Of(string flag, string subuid, string subgid, string passwd, string group)
    {
        var parts = (flag == "default" ? DefaultUser : flag).Split(':');
        if (parts.Length > 2 || parts.Any(p => p.Length == 0 || p.Any(char.IsWhiteSpace)))
            return (null, $"'{flag}' is not default, USER[:GROUP] or UID[:GID]");
        var (user, groupName) = (parts[0], parts[^1]);
        var users = Names(passwd, user);
        if (users is null && flag != "default")
            return (null, $"user '{user}' is not in /etc/passwd");
        var groups = Names(group, groupName);
        if (groups is null && flag != "default" && parts.Length == 2)
            return (null, $"group '{groupName}' is not in /etc/group");
        var uids = Ranges(subuid, users ?? [user]);
        // Whoever names no group has their ranges in subgid by the user's name, as useradd(8) writes them.
        var gids = Ranges(subgid, groups ?? [groupName]) is { IsEmpty: false } own ? own : Ranges(subgid, users ?? [user]);
        foreach (var (file, name, ranges) in new[] { ("/etc/subuid", user, uids), ("/etc/subgid", groupName, gids) })
        {
            if (ranges.IsEmpty)
                return (null, $"{file} has no ids for '{name}': add a line such as {name}:100000:65536");
            if (ranges.Any(r => r.HostId == 0))
                return (null, $"{file} gives '{name}' the host's id 0, from which a user namespace is to keep containers away");
            if (ranges.Aggregate(0UL, (sum, r) => sum + r.Size) < LeastIds)
                return (null, $"{file} gives '{name}' fewer than {LeastIds} ids, and images use as many");
        }

        return (new UserRemap { Uids = uids, Gids = gids }, null);
    }

    /// <summary>The name and the number of an account, whichever was given; a number needs no account.</summary>
    private static string[]? Names(string accounts, string asked)
    {
        var entry = accounts.Split('\n').Select(l => l.Split(':')).FirstOrDefault(e => e.Length >= 3 && (e[0] == asked || e[2] == asked));
        return entry is not null ? [entry[0], entry[2]] : asked.All(char.IsAsciiDigit) ? [asked] : null;
    }

    private static ImmutableArray<OciIdMapping> Ranges(string text, string[] names)
    {
        var ranges = ImmutableArray.CreateBuilder<OciIdMapping>();
        uint next = 0;
        foreach (var line in text.Split('\n').Select(l => l.Trim().Split(':')).Where(l => l.Length == 3 && names.Contains(l[0])).DistinctBy(l => (l[1], l[2])))
        {
            if (!uint.TryParse(line[1], NumberStyles.None, CultureInfo.InvariantCulture, out var first)
                || !uint.TryParse(line[2], NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count == 0 || uint.MaxValue - first < count || uint.MaxValue - next < count)
                continue;
            ranges.Add(new OciIdMapping { ContainerId = next, HostId = first, Size = count });
            next += count;
        }

        return ranges.ToImmutable();
    }
}
