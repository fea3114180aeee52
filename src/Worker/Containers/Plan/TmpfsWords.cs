using System.Text.RegularExpressions;
using Orchestrator.Shared.Model;

namespace Orchestrator.Worker.Containers.Plan;

/// <summary>Options of a tmpfs: the kernel's answer to a wrong one is no more than EINVAL, and comes when the container starts.</summary>
internal static partial class TmpfsWords
{
    /// <summary>mount(8)'s words that need no value, then tmpfs(5)'s own.</summary>
    private static readonly string[] Flags =
    [
        "ro", "rw", "suid", "nosuid", "dev", "nodev", "exec", "noexec", "sync", "async", "dirsync", "atime", "noatime", "diratime", "nodiratime",
        "relatime", "norelatime", "strictatime", "nostrictatime", "private", "rprivate", "slave", "rslave", "shared", "rshared", "unbindable",
        "runbindable", "defaults", "noswap",
    ];

    /// <summary>Whether all of them are known; a problem for each that is not.</summary>
    internal static bool Check(IReadOnlyList<string> words, string where, List<Problem> problems)
    {
        var wrong = words.Where(w => !IsKnown(w)).ToList();
        problems.AddRange(wrong.Select(w => new Problem(
            where, $"invalid tmpfs option '{w}': known are size=BYTES[kmg] or size=N%, mode=OCTAL, uid=N, gid=N, nr_inodes=N, nr_blocks=N, mpol=POLICY, huge=WHEN, and {string.Join(", ", Flags)}")));
        return wrong.Count == 0;
    }

    private static bool IsKnown(string word)
    {
        var equals = word.IndexOf('=');
        if (equals < 0)
            return Flags.Contains(word);
        var value = word[(equals + 1)..];
        return word[..equals] switch
        {
            "size" => Size().IsMatch(value) || Percent().IsMatch(value),
            "nr_blocks" or "nr_inodes" => Size().IsMatch(value),
            "uid" or "gid" => uint.TryParse(value, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out _),
            "mode" => value.Length is > 0 and <= 5 && value.All(c => c is >= '0' and <= '7'),
            "mpol" => value.Length > 0,
            "huge" => value is "never" or "always" or "within_size" or "advise",
            _ => false,
        };
    }

    [GeneratedRegex("^[0-9]+[kKmMgGtTpPeE]?$", RegexOptions.CultureInvariant)]
    private static partial Regex Size();

    [GeneratedRegex("^[0-9]+%$", RegexOptions.CultureInvariant)]
    private static partial Regex Percent();
}
