using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Containers.Plan;

/// <summary>Who a container runs as.</summary>
internal sealed record UserPlan(OciUser Ids, string Home)
{
    /// <summary>Resolves <c>user[:group]</c>, each a name or a number, by the texts of passwd(5) and group(5), as runc's libcontainer/user does.</summary>
    /// <exception cref="InvalidContainerException">A name that the image does not know.</exception>
    internal static UserPlan Of(string user, IReadOnlyList<string> moreGroups, string passwd, string group)
    {
        var parts = user.Split(':', 2);
        var (userPart, groupPart) = (parts[0], parts.Length == 2 ? parts[1] : "");
        var entry = userPart.Length == 0
            ? Entries(passwd, 7).FirstOrDefault(e => e[2] == "0")
            : Entries(passwd, 7).FirstOrDefault(e => e[0] == userPart) ?? Entries(passwd, 7).FirstOrDefault(e => e[2] == userPart);
        uint uid = 0;
        if (entry is not null)
            uid = Number(entry[2]) ?? throw new InvalidContainerException("User", $"the image's /etc/passwd gives user {entry[0]} the id '{entry[2]}'");
        else if (userPart.Length > 0)
            uid = Number(userPart) ?? throw new InvalidContainerException("User", $"unable to find user {userPart}: no matching entries in passwd file");

        var gid = groupPart.Length > 0 ? Group(groupPart, group) : entry is null ? 0 : Number(entry[3]) ?? 0;
        // With a group named outright the user's other groups do not count.
        var memberOf = groupPart.Length > 0 || entry is null
            ? []
            : Entries(group, 4).Where(e => e[3].Split(',').Contains(entry[0])).Select(e => Number(e[2])).OfType<uint>();
        // The primary group is one of the supplementary ones, too: else a setgid program could leave it, and with it what files deny to it (CVE-2022-36109).
        var additional = memberOf.Concat(moreGroups.Select(g => Group(g, group))).Prepend(gid).Distinct().ToImmutableArray();
        return new UserPlan(new OciUser { Uid = uid, Gid = gid, AdditionalGids = additional }, entry is { } e && e[5].Length > 0 ? e[5] : "/");
    }

    private static uint Group(string text, string group)
    {
        var entry = Entries(group, 4).FirstOrDefault(e => e[0] == text);
        return (entry is null ? Number(text) : Number(entry[2]))
            ?? throw new InvalidContainerException("User", $"unable to find group {text}: no matching entries in group file");
    }

    /// <summary>Lines with fewer fields than the format has are read, as runc does: what they leave out is empty.</summary>
    private static IEnumerable<string[]> Entries(string text, int fields) =>
        from line in text.Split('\n')
        let trimmed = line.Trim()
        where trimmed.Length > 0 && trimmed[0] != '#'
        let parts = trimmed.Split(':')
        select parts.Length >= fields ? parts : [.. parts, .. Enumerable.Repeat("", fields - parts.Length)];

    private static uint? Number(string text) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= int.MaxValue ? number : null;
}
