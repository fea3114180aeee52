using Orchestrator.Shared.Http;

namespace Orchestrator.Manager.Api;

/// <summary><c>/secrets</c> and <c>/configs</c>: none can exist yet, and the answers say so.</summary>
internal sealed class SecretAndConfigApi(ClusterDoor door)
{
    internal void Map(ApiRouter router)
    {
        foreach (var (path, noun) in new[] { ("/secrets", "secret"), ("/configs", "config") })
        {
            router.Map("GET", path, request =>
            {
                _ = door.Manager;
                request.Filters("id", "label", "name", "names");
                return request.ReplyAsync<IReadOnlyList<string>>([]);
            });
            router.Map("POST", $"{path}/create", _ => throw NotYet(noun));
            router.Map("GET", path + "/{id}", request => throw Missing(noun, request.Argument("id")));
            router.Map("DELETE", path + "/{id}", request => throw Missing(noun, request.Argument("id")));
            router.Map("POST", path + "/{id}/update", request => throw Missing(noun, request.Argument("id")));
        }
    }

    private ApiException NotYet(string noun)
    {
        _ = door.Manager;
        return new(501, $"{noun}s are not there yet: this version of orch cannot store a {noun}; use environment or a bind mount for now");
    }

    private ApiException Missing(string noun, string reference)
    {
        _ = door.Manager;
        return new(404, $"{noun} {reference} not found");
    }
}
