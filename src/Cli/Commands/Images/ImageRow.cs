using System.Globalization;
using Orchestrator.Cli.Output;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Images;

/// <summary>An image under one of its names.</summary>
internal sealed record ImageRow(ImageSummary Image, string Repository, string Tag, string Digest)
{
    private const string None = "<none>";

    /// <summary>One row per tag; an image without any has one row all the same.</summary>
    internal static IEnumerable<ImageRow> Of(ImageSummary image)
    {
        var tags = image.RepoTags.Where(t => t != "<none>:<none>").ToList();
        foreach (var tag in tags)
        {
            var colon = tag.LastIndexOf(':');
            var repository = colon < 0 ? tag : tag[..colon];
            yield return new ImageRow(image, repository, colon < 0 ? None : tag[(colon + 1)..], DigestOf(image, repository));
        }
        if (tags.Count > 0)
            yield break;
        var named = image.RepoDigests.Count > 0 ? image.RepoDigests[0].Split('@')[0] : None;
        yield return new ImageRow(image, named, None, DigestOf(image, named));
    }

    private static string DigestOf(ImageSummary image, string repository) =>
        image.RepoDigests.FirstOrDefault(d => d.StartsWith(repository + "@", StringComparison.Ordinal)) is { } digest ? digest[(repository.Length + 1)..] : None;

    internal static Listing<ImageRow> Listing(bool noTrunc, bool digests, DateTimeOffset now) => new(
        [
            new("ID", "IMAGE ID", r => Texts.Id(r.Image.Id, noTrunc)),
            new("Repository", "REPOSITORY", r => r.Repository),
            new("Tag", "TAG", r => r.Tag),
            new("Digest", "DIGEST", r => r.Digest),
            new("CreatedSince", "CREATED", r => Humanized.Ago(DateTimeOffset.FromUnixTimeSeconds(r.Image.Created), now)),
            new("CreatedAt", "CREATED AT", r => Texts.Time(DateTimeOffset.FromUnixTimeSeconds(r.Image.Created))),
            new("Size", "SIZE", r => Humanized.Size(r.Image.Size)),
            new("Containers", "CONTAINERS", r => r.Image.Containers < 0 ? "N/A" : r.Image.Containers.ToString(CultureInfo.InvariantCulture)),
            new("SharedSize", "SHARED SIZE", r => r.Image.SharedSize < 0 ? "N/A" : Humanized.Size(r.Image.SharedSize)),
            new("UniqueSize", "UNIQUE SIZE", r => r.Image.SharedSize < 0 ? "N/A" : Humanized.Size(r.Image.Size - r.Image.SharedSize)),
        ],
        digests ? ["Repository", "Tag", "Digest", "ID", "CreatedSince", "Size"] : ["Repository", "Tag", "ID", "CreatedSince", "Size"]);
}
