using System.Text.Json;
using Microsoft.AspNetCore.Http.Features;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Containers;
using Orchestrator.Worker.Containers.Files;
using Orchestrator.Worker.Images.Archives;

namespace Orchestrator.Worker.Api;

/// <summary>Files of containers: archive, changes, export, commit.</summary>
internal sealed class FileApi(EngineParts parts)
{
    private const string StatHeader = "X-Docker-Container-Path-Stat";

    internal void Map(ApiRouter router)
    {
        router.MapFault(failure => failure switch
        {
            ContainerPathException => new ApiException(404, failure.Message, inner: failure),
            ContainerReadOnlyException => new ApiException(403, failure.Message, inner: failure),
            _ => null,
        });
        router.Map("HEAD", "/containers/{id}/archive", StatAsync);
        router.Map("GET", "/containers/{id}/archive", ReadAsync);
        router.Map("PUT", "/containers/{id}/archive", ExtractAsync);
        router.Map("GET", "/containers/{id}/changes", ChangesAsync);
        router.Map("GET", "/containers/{id}/export", ExportAsync);
        router.Map("POST", "/commit", CommitAsync);
    }

    private async Task StatAsync(ApiRequest request) =>
        request.Http.Response.Headers[StatHeader] = Header(await parts.Containers.StatPathAsync(request.Argument("id"), PathOf(request), request.Stop));

    private Task ReadAsync(ApiRequest request)
    {
        var response = request.Http.Response;
        AllowBlocking(request);
        return parts.Containers.ReadArchiveAsync(request.Argument("id"), PathOf(request), stat =>
        {
            response.ContentType = "application/x-tar";
            response.Headers[StatHeader] = Header(stat);
            return response.Body;
        }, request.Stop);
    }

    private async Task ExtractAsync(ApiRequest request)
    {
        AllowBlocking(request);
        await using var archive = new BufferedStream(request.Http.Request.Body, 64 * 1024);
        using var plain = Compression.OpenForward(archive, "the archive");
        await parts.Containers.ExtractAsync(
            request.Argument("id"), PathOf(request), request.Flag("noOverwriteDirNonDir"), request.Flag("copyUIDGID"), plain, request.Stop);
        await request.ReplyAsync(200);
    }

    private async Task ChangesAsync(ApiRequest request) =>
        await request.ReplyAsync(await parts.Containers.ChangesAsync(request.Argument("id"), request.Stop), EngineJson.Default.IReadOnlyListFilesystemChange);

    private Task ExportAsync(ApiRequest request)
    {
        var id = parts.Containers.Inspect(request.Argument("id")).Id;
        AllowBlocking(request);
        request.Http.Response.ContentType = "application/x-tar";
        return parts.Containers.ExportAsync(id, request.Http.Response.Body, request.Stop);
    }

    private async Task CommitAsync(ApiRequest request)
    {
        var reference = request.Query("container") is { Length: > 0 } given ? given : throw new ApiException(400, "query parameter 'container' is required");
        var name = request.Query("repo") is not { Length: > 0 } repository ? null
            : request.Query("tag") is { Length: > 0 } tag ? $"{repository}:{tag}"
            : repository;
        var layer = await parts.Containers.LayerOfAsync(reference, request.Stop);
        // What the client sends as a body is the container's config with what it changed; an empty one changes nothing.
        var changed = request.Http.Request.ContentLength is > 0 || request.Http.Request.Headers.TransferEncoding.Count > 0
            ? await request.BodyAsync<ContainerCreateRequest>()
            : null;
        var id = await parts.Images.CommitAsync(
            new Images.CommitRequest
            {
                ImageId = layer.Container.ImageId,
                Upper = layer.Upper,
                Skip = layer.IsPlace,
                Config = CommitConfig.Of(layer.Container.Config, changed),
                ContainerId = layer.Container.Id,
                Reference = name,
                Comment = request.Query("comment") ?? "",
                Author = request.Query("author") ?? "",
                Changes = [.. request.Queries("changes").SelectMany(c => c.Split('\n', StringSplitOptions.RemoveEmptyEntries))],
            },
            request.Stop);
        parts.Events.Publish("container", "commit", layer.Container.Id, new Dictionary<string, string>(layer.Container.Config.Labels, StringComparer.Ordinal)
        {
            ["image"] = layer.Container.Config.Image, ["name"] = layer.Container.Name, ["imageID"] = id, ["imageRef"] = name ?? "",
        });
        await request.ReplyAsync(new CreatedReply { Id = id }, 201);
    }

    private static string PathOf(ApiRequest request) =>
        request.Query("path") is { Length: > 0 } path ? path : throw new ApiException(400, "query parameter 'path' is required");

    private static string Header(PathStat stat) => Convert.ToBase64String(JsonSerializer.SerializeToUtf8Bytes(stat, PathStatJson.Default.PathStat));

    /// <summary>Tars are read and written on a thread of the pool that waits.</summary>
    private static void AllowBlocking(ApiRequest request) =>
        request.Http.Features.GetRequiredFeature<IHttpBodyControlFeature>().AllowSynchronousIO = true;
}
