using Orchestrator.Shared.Http;

namespace Orchestrator.Worker.Api;

/// <summary><c>/volumes</c>: none can exist yet, and the answers say so.</summary>
internal static class VolumeApi
{
    internal static void Map(ApiRouter router)
    {
        router.Map("GET", "/volumes", r => r.ReplyAsync(new VolumeListReply([], []), EngineJson.Default.VolumeListReply));
        router.Map("POST", "/volumes/create", _ => throw new ApiException(501, "volumes are not there yet: use a bind mount of a directory of the host for now"));
        router.Map("POST", "/volumes/prune", r => r.ReplyAsync(new VolumePruneReply([], 0), EngineJson.Default.VolumePruneReply));
        router.Map("GET", "/volumes/{name}", r => throw Missing(r));
        router.Map("DELETE", "/volumes/{name}", r => throw Missing(r));
    }

    private static ApiException Missing(ApiRequest request) => new(404, $"get {request.Argument("name")}: no such volume");
}
