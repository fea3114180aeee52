using System.Collections.Immutable;
using System.Globalization;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Runtime.Rootfs;

/// <summary>A container's user as numbers, and its home.</summary>
internal sealed record ResolvedUser(OciUser User, string Home);

/// <summary>
/// Finds <c>user[:group]</c> in an image's own passwd(5) and group(5), as Docker does: names must be there, numbers need not;
/// without a group the user's own and every group that lists him are taken.
/// </summary>
internal static class UserLookup
{
    private const string NoHome = "/";

    /// <param name="user">What the container asks for; empty is root.</param>
    /// <param name="passwd">Text of /etc/passwd, empty when there is none.</param>
    /// <param name="group">Text of /etc/group, empty when there is none.</param>
    /// <param name="additional">More groups (<c>--group-add</c>), names or numbers.</param>
    /// <exception cref="RuntimeException">A name is not in the image.</exception>
    internal static ResolvedUser Resolve(string user, string passwd, string group, IEnumerable<string> additional)
    {
        var colon = user.IndexOf(':', StringComparison.Ordinal);
        var (name, groupName) = colon < 0 ? (user, "") : (user[..colon], user[(colon + 1)..]);
        if (name.Length == 0)
            name = "0";
        var entry = Entries(passwd, 6).FirstOrDefault(e => e[0] == name) ?? Entries(passwd, 6).FirstOrDefault(e => e[2] == name);
        var uid = entry is not null ? ParseOrNull(entry[2]) : ParseOrNull(name);
        if (uid is not { } id)
            throw new RuntimeException($"unable to find user {name}: no matching entries in passwd file");
        var gid = groupName.Length > 0 ? FindGroup(groupName, group) : entry is not null ? ParseOrNull(entry[3]) ?? 0 : 0;
        var listed = groupName.Length > 0 || entry is null ? [] : Entries(group, 4)
            .Where(g => g[3].Split(',').Contains(entry[0])).Select(g => ParseOrNull(g[2])).OfType<uint>();
        return new ResolvedUser(
            new OciUser
            {
                Uid = id,
                Gid = gid,
                AdditionalGids = [.. listed.Concat(additional.Select(a => FindGroup(a, group))).Prepend(gid).Distinct()],
            },
            entry is { } known && known[5].Length > 0 ? known[5] : NoHome);
    }

    private static uint FindGroup(string name, string group) =>
        Entries(group, 4).FirstOrDefault(g => g[0] == name) is { } entry && ParseOrNull(entry[2]) is { } found ? found
            : ParseOrNull(name) ?? throw new RuntimeException($"unable to find group {name}: no matching entries in group file");

    private static IEnumerable<string[]> Entries(string text, int fields) =>
        text.Split('\n').Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#').Select(line => line.Split(':')).Where(parts => parts.Length >= fields);

    private static uint? ParseOrNull(string text) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= int.MaxValue ? number : null;
}
