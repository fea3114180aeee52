namespace Orchestrator.Shared.Http;

/// <summary>Finds what a user named: the whole id first, then the whole name, then an id's unambiguous beginning, as Docker does.</summary>
public static class ObjectLookup
{
    /// <exception cref="ApiException">404 when nothing fits, 400 when several do.</exception>
    public static T Find<T>(IEnumerable<T> items, string reference, string noun, Func<T, string> id, Func<T, string?> name) where T : class =>
        TryFind(items, reference, noun, id, name) ?? throw new ApiException(404, $"{noun} {reference} not found");

    /// <summary>The same, with null for nothing.</summary>
    public static T? TryFind<T>(IEnumerable<T> items, string reference, string noun, Func<T, string> id, Func<T, string?> name) where T : class
    {
        if (reference.Length == 0)
            return null;
        List<T> named = [], begun = [];
        foreach (var item in items)
        {
            if (id(item) == reference)
                return item;
            if (name(item) == reference)
                named.Add(item);
            else if (id(item).StartsWith(reference, StringComparison.Ordinal))
                begun.Add(item);
        }

        return Only(named, reference, noun) ?? Only(begun, reference, noun);
    }

    private static T? Only<T>(List<T> found, string reference, string noun) where T : class => found.Count switch
    {
        0 => null,
        1 => found[0],
        _ => throw new ApiException(400, $"{noun} {reference} is ambiguous ({found.Count} matches found); use more of the id"),
    };
}
