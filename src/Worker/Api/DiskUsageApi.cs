using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Containers;

namespace Orchestrator.Worker.Api;

/// <summary><c>GET /system/df</c>: who holds how much of the disk.</summary>
internal sealed class DiskUsageApi(EngineParts parts)
{
    internal void Map(ApiRouter router) => router.Map("GET", "/system/df", AnswerAsync);

    private async Task AnswerAsync(ApiRequest request)
    {
        var wanted = request.Queries("type");
        if (wanted.FirstOrDefault(w => w is not ("container" or "image" or "volume" or "build-cache")) is { } unknown)
            throw new ApiException(400, $"unknown object type: {unknown}; use container, image, volume or build-cache");
        bool Wants(string type) => wanted.Count == 0 || wanted.Contains(type);
        var containers = parts.Containers.List(new ContainerQuery { All = true });
        var images = Wants("image") ? await parts.Images.ListAsync(request.Stop) : [];
        var layers = images.SelectMany(i => i.DiffIds.Distinct(StringComparer.Ordinal)).CountBy(d => d).ToDictionary(StringComparer.Ordinal);
        await request.ReplyAsync(
            new DiskUsageReply(
                layers.Keys.Sum(parts.Images.LayerSize),
                [.. images.Select(i => ImageAnswers.Summary(i) with
                {
                    SharedSize = i.DiffIds.Where(d => layers[d] > 1).Sum(parts.Images.LayerSize),
                    Containers = containers.Count(c => c.ImageId == i.Id),
                })],
                Wants("container") ? await parts.Containers.WithSizesAsync(containers, request.Stop) : [],
                Wants("volume") ? await VolumesAsync(request.Stop) : [],
                Wants("build-cache") ? [.. parts.Images.BuildCacheSteps().Select(s => new BuildCacheRow(s.Id, "regular", "", s.InUse, s.InUse, s.Size, s.Created, s.Created, 1))] : []),
            EngineJson.Default.DiskUsageReply);
    }

    private async Task<IReadOnlyList<Volume>> VolumesAsync(CancellationToken stop)
    {
        var all = new List<Volume>();
        foreach (var view in parts.Volumes.List())
        {
            all.Add(VolumeApi.Show(view) with { UsageData = new VolumeUsage(await parts.Volumes.SizeAsync(view.Volume.Name, stop), view.Users.Count) });
        }

        return all;
    }
}
