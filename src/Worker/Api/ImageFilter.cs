using Orchestrator.Shared.Http;
using Orchestrator.Worker.Images;

namespace Orchestrator.Worker.Api;

/// <summary>The filters of <c>GET /images/json</c>.</summary>
internal static class ImageFilter
{
    internal static readonly string[] Known = ["before", "dangling", "label", "reference", "since", "until"];

    /// <param name="images">Every image, newest first.</param>
    /// <param name="filters">What is asked for.</param>
    /// <param name="find">Finds the image that <c>before</c> or <c>since</c> names.</param>
    /// <param name="now">For <c>until=24h</c>.</param>
    internal static IEnumerable<ImageRecord> Apply(IEnumerable<ImageRecord> images, ApiFilters filters, Func<string, ImageRecord> find, DateTimeOffset now)
    {
        var dangling = filters.Boolean("dangling");
        var before = filters["before"].Select(find).Select(i => i.Created).ToList();
        var since = filters["since"].Select(find).Select(i => i.Created).ToList();
        var until = filters["until"].Select(text => ApiTimes.Parse(text, now) ?? throw new ApiException(400, $"invalid filter 'until={text}'")).ToList();
        return images.Where(image =>
            (dangling is null || dangling == image.RepoTags.IsEmpty)
            && filters.Labels("label", ImageAnswers.Labels(image))
            && filters.Any("reference", pattern => image.RepoTags.Any(tag => Matches(pattern, tag)))
            && before.All(moment => image.Created < moment)
            && since.All(moment => image.Created > moment)
            && until.All(moment => image.Created < moment));
    }

    /// <summary>A shell pattern against <c>name:tag</c> or the name alone; <c>*</c> stops at slashes, as Go's path.Match.</summary>
    internal static bool Matches(string pattern, string tag)
    {
        var colon = tag.LastIndexOf(':');
        return Glob(pattern, tag) || (colon > tag.LastIndexOf('/') && Glob(pattern, tag.AsSpan(0, colon)));
    }

    private static bool Glob(ReadOnlySpan<char> pattern, ReadOnlySpan<char> text)
    {
        while (!pattern.IsEmpty)
        {
            if (pattern[0] == '*')
            {
                for (var taken = 0; taken <= text.Length; taken++)
                {
                    if (Glob(pattern[1..], text[taken..]))
                        return true;
                    if (taken < text.Length && text[taken] == '/')
                        return false;
                }

                return false;
            }

            if (text.IsEmpty || (pattern[0] == '?' ? text[0] == '/' : pattern[0] != text[0]))
                return false;
            pattern = pattern[1..];
            text = text[1..];
        }

        return text.IsEmpty;
    }
}
