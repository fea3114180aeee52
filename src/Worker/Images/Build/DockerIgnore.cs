using System.Collections.Immutable;
using System.Text.RegularExpressions;

namespace Orchestrator.Worker.Images.Build;

/// <summary>What .dockerignore keeps out of the context: the last pattern that fits decides, <c>!</c> lets in again.</summary>
internal sealed class DockerIgnore
{
    internal static DockerIgnore Nothing { get; } = new([]);

    private readonly ImmutableArray<(Regex Pattern, bool Excludes)> _rules;

    private DockerIgnore(ImmutableArray<(Regex, bool)> rules) => _rules = rules;

    internal static DockerIgnore Parse(string text)
    {
        var rules = ImmutableArray.CreateBuilder<(Regex, bool)>();
        foreach (var line in text.TrimStart('\ufeff').Split('\n'))
        {
            var pattern = line.Trim();
            if (pattern.Length == 0 || line.StartsWith('#'))
                continue;
            var excludes = pattern[0] != '!';
            pattern = (excludes ? pattern : pattern[1..].Trim()).Trim('/');
            var clean = string.Join('/', pattern.Split('/').Where(p => p is not ("" or ".")));
            try
            {
                if (clean.Length > 0)
                    rules.Add((PathPattern.Compile(clean), excludes));
            }
            catch (FormatException e)
            {
                throw ImageException.Invalid($".dockerignore: {e.Message}");
            }
        }
        return new(rules.ToImmutable());
    }

    /// <summary>Whether a path is out; a pattern that fits a directory fits all below it.</summary>
    internal bool Excludes(string path)
    {
        var excluded = false;
        foreach (var (pattern, excludes) in _rules)
        {
            if (excludes != excluded && FitsPathOrParent(pattern, path))
                excluded = excludes;
        }
        return excluded;
    }

    private static bool FitsPathOrParent(Regex pattern, string path)
    {
        for (var end = path.Length; end > 0; end = path.LastIndexOf('/', end - 1))
        {
            if (pattern.IsMatch(path.AsSpan(0, end)))
                return true;
        }
        return false;
    }
}
