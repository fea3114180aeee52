using Orchestrator.Manager.State;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;

namespace Orchestrator.Manager.Api;

/// <summary><c>/secrets</c> and <c>/configs</c>. A secret's bytes come in here and never go out.</summary>
internal sealed class PayloadApi(ClusterDoor door)
{
    internal void Map(ClusterRoutes router)
    {
        Map<Secret, SecretSpec>(router, "secret", s => s.Secrets.Values, Masked, (id, spec) => new CreateSecret(id, spec) { At = door.Now },
            (id, version, spec) => new UpdateSecret(id, version, spec) { At = door.Now }, id => new RemoveSecret(id) { At = door.Now });
        Map<Config, ConfigSpec>(router, "config", s => s.Configs.Values, c => c, (id, spec) => new CreateConfig(id, spec) { At = door.Now },
            (id, version, spec) => new UpdateConfigLabels(id, version, spec) { At = door.Now }, id => new RemoveConfig(id) { At = door.Now });
    }

    /// <summary>The secret as it may be told.</summary>
    internal static Secret Masked(Secret secret) => secret with { Spec = secret.Spec with { Data = null } };

    internal static IReadOnlyList<T> Filter<T>(IEnumerable<T> all, ApiFilters filters) where T : StoredPayload =>
    [
        .. all.Where(p =>
            filters.Any("id", id => p.Id.StartsWith(id, StringComparison.Ordinal))
            && filters.Any("name", name => p.Content.Name.StartsWith(name, StringComparison.Ordinal))
            && filters.Any("names", name => p.Content.Name == name)
            && filters.Labels("label", p.Content.Labels)),
    ];

    private void Map<T, TSpec>(
        ClusterRoutes router, string noun, Func<ClusterState, IEnumerable<T>> of, Func<T, T> shown,
        Func<string, TSpec, Command> create, Func<string, ulong, TSpec, Command> update, Func<string, Command> remove)
        where T : StoredPayload
        where TSpec : PayloadSpec
    {
        var path = $"/{noun}s";
        router.Map("GET", path, r =>
        {
            var all = of(door.State);
            return r.ReplyAsync<IReadOnlyList<T>>([.. Filter(all, r.Filters("id", "label", "name", "names")).Select(shown)]);
        });
        router.Map("GET", path + "/{id}", r => r.ReplyAsync(shown(Find(r))));
        router.Map("POST", $"{path}/create", async r =>
        {
            _ = door.Manager;
            var spec = await r.WholeBodyAsync<TSpec>();
            var id = ClusterDoor.NewId();
            await door.ProposeAsync(create(id, spec), r.Stop);
            await r.ReplyAsync(new CreatedReply { Id = id }, 201);
        });
        router.Map("POST", path + "/{id}/update", async r =>
        {
            var found = Find(r);
            var version = r.Number("version");
            var spec = await r.WholeBodyAsync<TSpec>();
            await door.ProposeAsync(update(found.Id, version, spec), r.Stop);
            await r.ReplyAsync(200);
        });
        router.Map("DELETE", path + "/{id}", async r =>
        {
            var found = Find(r);
            await door.ProposeAsync(remove(found.Id), r.Stop);
            await r.ReplyAsync(204);
        });

        T Find(ApiRequest request) => ObjectLookup.Find(of(door.State), request.Argument("id"), noun, p => p.Id, p => p.Content.Name);
    }
}
