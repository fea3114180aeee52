namespace Orchestrator.Shared.Model.Validation;

/// <summary>Judges resource limits by name and order, in Docker's words.</summary>
public static class UlimitValidation
{
    private static readonly string[] Names =
    [
        "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio", "rttime", "sigpending",
        "stack", "as",
    ];

    public static IEnumerable<string> Check(IReadOnlyList<Ulimit> limits)
    {
        foreach (var limit in limits)
        {
            if (!Names.Contains(limit.Name))
                yield return $"invalid ulimit type: {limit.Name}";
            else if ((limit.Soft > limit.Hard || limit.Soft == -1) && limit.Hard != -1)
                yield return $"ulimit soft limit must be less than or equal to hard limit: {limit.Soft} > {limit.Hard}";
        }

        foreach (var twice in limits.GroupBy(l => l.Name, StringComparer.Ordinal).Where(g => g.Count() > 1))
            yield return $"ulimit {twice.Key} is set twice";
    }
}
