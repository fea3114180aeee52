using System.Collections.Immutable;
using Orchestrator.Shared.Http;
using Orchestrator.Worker.Images;

namespace Orchestrator.Worker.Api;

/// <summary>Images as archives: load, save and import.</summary>
internal sealed class ImageArchiveApi(EngineParts parts)
{
    internal void Map(ApiRouter router)
    {
        router.Map("POST", "/images/load", LoadAsync);
        router.Map("POST", "/images/create", CreateAsync);
        router.Map("GET", "/images/get", r => SaveAsync(r, [.. r.Queries("names")]));
        router.Map("GET", "/images/{name*}/get", r => SaveAsync(r, [r.Argument("name")]));
    }

    private Task LoadAsync(ApiRequest request)
    {
        PlatformQuery.Check(request, "platform");
        return ProgressLines.RunAsync(request, progress => parts.Images.LoadAsync(request.Http.Request.Body, progress, request.Stop));
    }

    private Task CreateAsync(ApiRequest request)
    {
        if (request.Query("fromImage") is { Length: > 0 } image)
        {
            var tag = request.Query("tag") is { Length: > 0 } given ? (given.Contains(':', StringComparison.Ordinal) ? "@" : ":") + given : "";
            throw new ApiException(501, $"pulling {image}{tag} from a registry is not there yet: load it (\"docker load\"), import it (\"docker import\") or build it on this host");
        }

        if (request.Query("fromSrc") is not "-")
            throw new ApiException(400, "importing takes fromSrc=- and the archive as the body; fetching an archive from a URL is not there yet");
        if (request.Query("platform") is { Length: > 0 } platform && !ImageAnswers.IsThisPlatform(platform))
            throw new ApiException(400, $"this host runs {ImageAnswers.ThisPlatform}, not {platform}");
        var repository = request.Query("repo");
        var reference = string.IsNullOrEmpty(repository) ? null
            : request.Query("tag") is { Length: > 0 } name ? $"{repository}:{name}"
            : repository;
        return ProgressLines.RunAsync(request, async progress =>
        {
            var id = await parts.Images.ImportAsync(
                request.Http.Request.Body, reference, [.. request.Queries("changes")], request.Query("message"), request.Stop);
            progress.Report(ProgressMessage.State(id));
        });
    }

    private async Task SaveAsync(ApiRequest request, ImmutableArray<string> names)
    {
        PlatformQuery.Check(request, "platform");
        if (names.IsEmpty)
            throw new ApiException(400, "query parameter 'names' is required");
        foreach (var name in names)
            await parts.Images.InspectAsync(name, request.Stop); // a missing image is told before the archive begins
        request.Http.Response.ContentType = "application/x-tar";
        await parts.Images.SaveAsync(names, request.Http.Response.Body, request.Stop);
    }
}
