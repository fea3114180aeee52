namespace Orchestrator.Shared.Http;

/// <summary>A method, a path template and who handles it.</summary>
internal sealed record ApiRoute(string Method, string[] Template, ApiHandler Handler)
{
    /// <summary>The path's arguments by placeholder, or null when the path is another one.</summary>
    internal Dictionary<string, string>? Match(ReadOnlySpan<string> path)
    {
        var arguments = new Dictionary<string, string>(StringComparer.Ordinal);
        var at = 0;
        for (var i = 0; i < Template.Length; i++)
        {
            var part = Template[i];
            if (part is ['{', .., '*', '}'])
            {
                var take = path.Length - at - (Template.Length - i - 1);
                if (take < 1)
                    return null;
                arguments[part[1..^2]] = Decode(string.Join('/', path.Slice(at, take)));
                at += take;
            }
            else if (at >= path.Length)
            {
                return null;
            }
            else if (part is ['{', .., '}'])
            {
                arguments[part[1..^1]] = Decode(path[at++]);
            }
            else if (part != path[at++])
            {
                return null;
            }
        }

        return at == path.Length ? arguments : null;
    }

    /// <summary>The server decodes a path except for its slashes.</summary>
    private static string Decode(string segment) => segment.Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
}
