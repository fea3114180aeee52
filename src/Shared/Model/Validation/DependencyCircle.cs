namespace Orchestrator.Shared.Model.Validation;

/// <summary>Who waits for whom must have a beginning.</summary>
public static class DependencyCircle
{
    /// <summary>The names of a circle, beginning and ending with the same one; null when there is none.</summary>
    /// <param name="needs">Each name with the names it waits for; names that wait for nobody may be left out.</param>
    public static IReadOnlyList<string>? Find(IReadOnlyDictionary<string, IReadOnlyList<string>> needs)
    {
        var free = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in needs.Keys.Order(StringComparer.Ordinal))
        {
            var path = new List<string>();
            if (Walk(needs, name, path, free))
                return [.. path.Skip(path.IndexOf(path[^1]))];
        }

        return null;
    }

    private static bool Walk(IReadOnlyDictionary<string, IReadOnlyList<string>> needs, string name, List<string> path, HashSet<string> free)
    {
        if (free.Contains(name))
            return false;
        var met = path.Contains(name);
        path.Add(name);
        if (met)
            return true;
        foreach (var next in needs.GetValueOrDefault(name) ?? [])
        {
            if (Walk(needs, next, path, free))
                return true;
        }

        path.RemoveAt(path.Count - 1);
        free.Add(name);
        return false;
    }
}
