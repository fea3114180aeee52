namespace Orchestrator.Shared.Http;

/// <summary>A method, a path template and who handles it.</summary>
internal sealed record ApiRoute(string Method, string[] Template, ApiHandler Handler)
{
    private readonly int _long = Array.FindIndex(Template, part => part is ['{', .., '*', '}']); // no template has two

    /// <summary>Whether the path is one of the template's. Every route of an API is asked this at every call.</summary>
    internal bool Matches(ReadOnlySpan<string> path)
    {
        var more = path.Length - Template.Length;
        if (_long < 0 ? more != 0 : more < 0)
            return false;
        for (var i = 0; i < Template.Length; i++)
        {
            if (Template[i][0] != '{' && Template[i] != path[_long >= 0 && i > _long ? i + more : i])
                return false;
        }

        return true;
    }

    /// <summary>The arguments by placeholder of a path that matches.</summary>
    internal Dictionary<string, string> Arguments(ReadOnlySpan<string> path)
    {
        var arguments = new Dictionary<string, string>(StringComparer.Ordinal);
        var more = path.Length - Template.Length;
        for (var i = 0; i < Template.Length; i++)
        {
            var part = Template[i];
            if (i == _long)
                arguments[part[1..^2]] = Decode(string.Join('/', path.Slice(i, more + 1)));
            else if (part[0] == '{')
                arguments[part[1..^1]] = Decode(path[_long >= 0 && i > _long ? i + more : i]);
        }

        return arguments;
    }

    /// <summary>The server decodes a path except for its slashes.</summary>
    private static string Decode(string segment) => segment.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
}
