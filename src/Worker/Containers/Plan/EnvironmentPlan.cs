using System.Collections.Immutable;

namespace Orchestrator.Worker.Containers.Plan;

/// <summary>The environment of a container's first process.</summary>
internal static class EnvironmentPlan
{
    internal const string DefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    internal static string NameOf(string variable)
    {
        var equals = variable.IndexOf('=');
        return equals < 0 ? variable : variable[..equals];
    }

    /// <summary>
    /// The engine's own variables, then the container's, of which the last with a name wins. A name without <c>=</c> takes the variable away.
    /// </summary>
    internal static ImmutableArray<string> Of(string hostname, string home, bool terminal, IReadOnlyList<string> configured)
    {
        List<string> own = ["PATH=" + DefaultPath, "HOSTNAME=" + hostname];
        if (terminal)
            own.Add("TERM=xterm");
        var merged = Replace(own, configured);
        if (!merged.Exists(v => NameOf(v) == "HOME"))
            merged.Add("HOME=" + home);
        return [.. merged];
    }

    private static List<string> Replace(List<string> before, IReadOnlyList<string> changes)
    {
        foreach (var change in changes)
        {
            var name = NameOf(change);
            var at = before.FindIndex(v => NameOf(v) == name);
            if (name.Length == change.Length)
            {
                if (at >= 0)
                    before.RemoveAt(at);
            }
            else if (at >= 0)
            {
                before[at] = change;
            }
            else
            {
                before.Add(change);
            }
        }

        return before;
    }
}
