using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Volumes;
using Orchestrator.Worker.Volumes.Plan;

namespace Orchestrator.Worker.Api;

/// <summary><c>/volumes</c>: this host's volumes.</summary>
internal sealed class VolumeApi(EngineParts parts)
{
    internal void Map(ApiRouter router)
    {
        router.MapFault(Translate);
        router.Map("GET", "/volumes", ListAsync);
        router.Map("POST", "/volumes/create", CreateAsync);
        router.Map("POST", "/volumes/prune", PruneAsync);
        router.Map("GET", "/volumes/{name}", InspectAsync);
        router.Map("DELETE", "/volumes/{name}", RemoveAsync);
        router.Map("PUT", "/volumes/{name}", r => throw new ApiException(501, "changing a volume is for cluster volumes, which orch does not have"));
    }

    internal static Volume Show(VolumeView view) => new()
    {
        Name = view.Volume.Name,
        Mountpoint = view.Mountpoint,
        CreatedAt = view.Volume.Created,
        Labels = view.Volume.Labels,
        Options = view.Volume.Options,
    };

    private static ApiException? Translate(Exception failure) => failure is not VolumeException volume ? null : new(
        volume.Fault switch
        {
            VolumeFault.NotFound => 404,
            VolumeFault.Conflict => 409,
            VolumeFault.Invalid => 400,
            _ => 500,
        },
        volume.Message, volume.Problems, volume);

    private Task ListAsync(ApiRequest request)
    {
        var filters = request.Filters("dangling", "driver", "label", "name");
        var wanted = new VolumeFilter
        {
            Dangling = filters.Boolean("dangling"), Names = filters["name"], Drivers = filters["driver"], Labels = filters["label"],
        };
        return request.ReplyAsync(
            new VolumeListAnswer([.. parts.Volumes.List().Where(wanted.Fits).Select(Show)], []), EngineJson.Default.VolumeListAnswer);
    }

    private async Task CreateAsync(ApiRequest request)
    {
        var wanted = await request.WholeBodyAsync<VolumeCreateRequest>();
        await request.ReplyAsync(Show(await parts.Volumes.CreateAsync(wanted, request.Stop)), EngineJson.Default.Volume, 201);
    }

    private Task InspectAsync(ApiRequest request)
    {
        var name = request.Argument("name");
        return request.ReplyAsync(Show(parts.Volumes.Find(name) ?? throw VolumeException.NotFound(name)), EngineJson.Default.Volume);
    }

    private async Task RemoveAsync(ApiRequest request)
    {
        try
        {
            await parts.Volumes.RemoveAsync(request.Argument("name"), request.Stop);
        }
        catch (VolumeException e) when (e.Fault == VolumeFault.NotFound && request.Flag("force"))
        {
            // Absent is what was asked for.
        }

        await request.ReplyAsync(204);
    }

    private async Task PruneAsync(ApiRequest request)
    {
        var filters = request.Filters("all", "label", "label!");
        var (removed, bytes) = await parts.Volumes.PruneAsync(
            filters.Boolean("all") ?? false, new VolumeFilter { Labels = filters["label"], NotLabels = filters["label!"] }, request.Stop);
        parts.Events.Publish("volume", "prune", "", new Dictionary<string, string>(StringComparer.Ordinal) { ["reclaimed"] = $"{bytes}" });
        await request.ReplyAsync(new VolumePruneAnswer(removed, bytes), EngineJson.Default.VolumePruneAnswer);
    }
}
