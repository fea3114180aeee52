using Orchestrator.Shared.Http;
using Orchestrator.Worker.Containers;
using Orchestrator.Worker.Images;
using Orchestrator.Worker.Network;

namespace Orchestrator.Worker.Api;

/// <summary>The engine half of the Engine API: this host's containers, images, events and facts.</summary>
internal static class EngineApi
{
    internal static void Map(ApiRouter router, EngineParts parts)
    {
        router.MapFault(Translate);
        new SystemApi(parts).Map(router);
        new EventApi(parts).Map(router);
        new ContainerApi(parts).Map(router);
        new ExecApi(parts).Map(router);
        new AttachApi(parts).Map(router);
        new LimitApi(parts).Map(router);
        new ImageApi(parts).Map(router);
        new ImageArchiveApi(parts).Map(router);
        new BuildApi(parts).Map(router);
        new VolumeApi(parts).Map(router);
        new FileApi(parts).Map(router);
        new DiskUsageApi(parts).Map(router);
    }

    /// <summary>What the rooms' refusals mean in HTTP.</summary>
    internal static ApiException? Translate(Exception failure) => failure switch
    {
        ContainerNotFoundException => new(404, failure.Message, inner: failure),
        ExecNotFoundException => new(404, failure.Message, inner: failure),
        ContainerConflictException => new(409, failure.Message, inner: failure),
        LogsNotKeptException => new(501, failure.Message, inner: failure),
        InvalidContainerException invalid => new(400, invalid.Message, invalid.Problems, invalid),
        ContainerStartException start => new(start.ExitCode is 126 or 127 ? 400 : 500, start.Message, inner: start),
        NetworkException => new(409, failure.Message, inner: failure),
        ImageException image => new(
            image.Fault switch
            {
                ImageFault.NotFound => 404,
                ImageFault.Conflict => 409,
                _ => 400,
            },
            image.Message,
            inner: image),
        _ => null,
    };
}
