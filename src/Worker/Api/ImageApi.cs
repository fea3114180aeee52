using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Images;

namespace Orchestrator.Worker.Api;

/// <summary><c>/images</c> and <c>/distribution</c>: the images this host has.</summary>
internal sealed class ImageApi(EngineParts parts)
{
    internal void Map(ApiRouter router)
    {
        router.Map("GET", "/images/json", ListAsync);
        router.Map("POST", "/images/prune", PruneAsync);
        router.Map("GET", "/images/search", _ => throw new ApiException(501, "searching a registry is not there yet"));
        router.Map("GET", "/images/{name*}/json", async r =>
        {
            PlatformQuery.Check(r, "platform");
            await r.ReplyAsync(ImageAnswers.Inspect(await parts.Images.InspectAsync(r.Argument("name"), r.Stop)));
        });
        router.Map("GET", "/images/{name*}/history", async r =>
        {
            PlatformQuery.Check(r, "platform");
            await r.ReplyAsync<IReadOnlyList<ImageHistoryItem>>([.. (await parts.Images.HistoryAsync(r.Argument("name"), r.Stop)).Select(ImageAnswers.History)]);
        });
        router.Map("POST", "/images/{name*}/tag", TagAsync);
        router.Map("POST", "/images/{name*}/push", r => throw new ApiException(
            501, $"pushing to registries is not there yet: save {r.Argument("name")} with \"docker save\" and load it where it is needed"));
        router.Map("DELETE", "/images/{name*}", RemoveAsync);
        router.Map("GET", "/distribution/{name*}/json", DistributionAsync);
    }

    private async Task ListAsync(ApiRequest request)
    {
        var filters = request.Filters(ImageFilter.Known);
        var images = await parts.Images.ListAsync(request.Stop);
        var named = new Dictionary<string, ImageRecord>(StringComparer.Ordinal);
        foreach (var reference in filters["before"].Concat(filters["since"]))
            named[reference] = await parts.Images.InspectAsync(reference, request.Stop);
        await request.ReplyAsync<IReadOnlyList<ImageSummary>>(
            [.. ImageFilter.Apply(images, filters, reference => named[reference], parts.Time.GetUtcNow()).Select(ImageAnswers.Summary)]);
    }

    private async Task TagAsync(ApiRequest request)
    {
        var repository = request.Query("repo") is { Length: > 0 } given ? given : throw new ApiException(400, "query parameter 'repo' is required");
        var target = request.Query("tag") is { Length: > 0 } tag ? $"{repository}:{tag}" : repository;
        await parts.Images.TagAsync(request.Argument("name"), target, request.Stop);
        await request.ReplyAsync(201);
    }

    private async Task RemoveAsync(ApiRequest request)
    {
        PlatformQuery.Check(request, "platforms"); // noprune: an image's untagged parents are the build cache's, which no removal touches
        var removed = await parts.Images.RemoveAsync(
            request.Argument("name"), new RemoveOptions { Force = request.Flag("force"), IsRunning = parts.Containers.IsRunning }, request.Stop);
        await request.ReplyAsync(ImageAnswers.Removed(removed));
    }

    private async Task PruneAsync(ApiRequest request)
    {
        var now = parts.Time.GetUtcNow();
        var filters = request.Filters("dangling", "label", "label!", "until");
        var report = await parts.Images.PruneAsync(
            new PruneOptions
            {
                All = filters.Boolean("dangling") is false,
                Until = filters["until"] is [var text] ? ApiTimes.Parse(text, now) ?? throw new ApiException(400, $"invalid filter 'until={text}'") : null,
                Matches = image => filters.Labels("label", ImageAnswers.Labels(image))
                    && !filters["label!"].Any(l => ApiFilters.HasLabel(ImageAnswers.Labels(image), l)),
            },
            request.Stop);
        await request.ReplyAsync(new ImagePruneReply(ImageAnswers.Removed(report.Removed), report.SpaceReclaimed), EngineJson.Default.ImagePruneReply);
    }

    /// <summary>What a registry would say of the image, told from this host's copy: its manifest and platform.</summary>
    private async Task DistributionAsync(ApiRequest request)
    {
        var name = request.Argument("name");
        var image = await parts.Images.ResolveAsync(name, request.Stop)
            ?? throw new ApiException(404, $"this host has no image {name}, and asking registries is not there yet: load, import or build it");
        await request.ReplyAsync(
            new DistributionReply(
                new DescriptorReply("application/vnd.oci.image.manifest.v1+json", image.ManifestDigest, 0),
                [new PlatformReply(image.Architecture, image.Os, image.Variant)]),
            EngineJson.Default.DistributionReply);
    }
}
