using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Orchestrator.Cli.Commands.Images;
using Orchestrator.Cli.Output;
using Orchestrator.Shared.Model;

namespace Orchestrator.Cli.Commands.Systems;

/// <summary>One line of <c>system df</c>.</summary>
internal sealed record UsageRow(string Type, int Total, int Active, string Size, string Reclaimable);

/// <summary>A step of the build cache, as <c>/system/df</c> tells it.</summary>
internal sealed record CacheStep(string Id, string Type, long Size, DateTimeOffset Created, DateTimeOffset LastUsed, int Uses, bool InUse, bool Shared);

/// <summary>What <c>/system/df</c> answers.</summary>
internal sealed record Usage(
    long Layers, IReadOnlyList<ImageSummary> Images, IReadOnlyList<ContainerSummary> Containers, IReadOnlyList<Volume> Volumes, IReadOnlyList<CacheStep> Cache)
{
    internal static Usage Read(JsonElement json) => new(
        json.TryGetProperty("LayersSize", out var layers) ? layers.GetInt64() : 0,
        List(json, "Images", e => e.Deserialize(ModelJson.Of<IReadOnlyList<ImageSummary>>()) ?? []),
        List(json, "Containers", e => e.Deserialize(ModelJson.Of<IReadOnlyList<ContainerSummary>>()) ?? []),
        List<Volume>(json, "Volumes", e => [.. e.EnumerateArray().Select(v => v.Deserialize(ModelJson.Of<Volume>())!)]),
        List<CacheStep>(json, "BuildCache", e => [.. e.EnumerateArray().Select(Step)]));

    /// <summary>The sums, counted as docker's client counts them (cli/command/formatter/disk_usage.go).</summary>
    internal IReadOnlyList<UsageRow> Rows()
    {
        var imagesUsed = Images.Where(i => i.Containers != 0 && i.SharedSize >= 0).Sum(i => i.Size - i.SharedSize);
        static bool Active(ContainerSummary c) => c.State is "running" or "paused" or "restarting";
        var containers = Containers.Sum(c => c.SizeRw ?? 0);
        var volumes = Volumes.Sum(v => Math.Max(v.UsageData?.Size ?? 0, 0));
        var cache = Cache.Where(c => !c.Shared).Sum(c => c.Size);
        return
        [
            new("Images", Images.Count, Images.Count(i => i.Containers > 0), Humanized.Size4(Layers), Share(Layers - imagesUsed, Layers)),
            new("Containers", Containers.Count, Containers.Count(Active), Humanized.Size4(containers), Share(Containers.Where(c => !Active(c)).Sum(c => c.SizeRw ?? 0), containers)),
            new("Local Volumes", Volumes.Count, Volumes.Count(v => v.UsageData?.RefCount > 0), Humanized.Size4(volumes),
                Share(Volumes.Where(v => v.UsageData is { RefCount: 0, Size: > 0 }).Sum(v => v.UsageData!.Size), volumes)),
            new("Build Cache", Cache.Count, Cache.Count(c => c.InUse), Humanized.Size4(cache), Humanized.Size4(Cache.Where(c => !c.InUse).Sum(c => c.Size))),
        ];
    }

    private static string Share(long part, long whole) => whole > 0 ? $"{Humanized.Size4(part)} ({part * 100 / whole}%)" : Humanized.Size4(part);

    private static IReadOnlyList<T> List<T>(JsonElement json, string name, Func<JsonElement, IReadOnlyList<T>> read) =>
        json.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array ? read(list) : [];

    private static CacheStep Step(JsonElement e) => new(
        e.GetProperty("ID").GetString() ?? "", e.GetProperty("Type").GetString() ?? "", e.GetProperty("Size").GetInt64(),
        e.GetProperty("CreatedAt").GetDateTimeOffset(), e.GetProperty("LastUsedAt").GetDateTimeOffset(), e.GetProperty("UsageCount").GetInt32(),
        e.GetProperty("InUse").GetBoolean(), e.GetProperty("Shared").GetBoolean());
}

/// <summary><c>orch system df</c></summary>
internal static class DiskUsage
{
    internal static Command Create(Shell shell)
    {
        var verbose = Flags.Switch("--verbose", "Show detailed information on space usage", "-v");
        var format = Flags.Format();
        return new Command("df", "Show disk usage").Does(shell, [format, verbose], async (call, stop) =>
        {
            if (call.Get(verbose) && call.Get(format) is { Length: > 0 } asked and not "table")
                throw new CommandException($"--verbose shows several tables, which '{asked}' cannot be laid over: leave one of the two out");
            var usage = Usage.Read(await call.Client.GetJsonAsync("/system/df", stop));
            await call.Shell.Out.WriteAsync(call.Get(verbose) ? Verbose(usage, call.Now) : Listing.Render(usage.Rows(), call.Get(format)));
            return 0;
        });
    }

    private static Listing<UsageRow> Listing { get; } = new(
        [
            new("Type", "TYPE", r => r.Type),
            new("TotalCount", "TOTAL", r => r.Total.ToString(CultureInfo.InvariantCulture)),
            new("Active", "ACTIVE", r => r.Active.ToString(CultureInfo.InvariantCulture)),
            new("Size", "SIZE", r => r.Size),
            new("Reclaimable", "RECLAIMABLE", r => r.Reclaimable),
        ],
        ["Type", "TotalCount", "Active", "Size", "Reclaimable"]);

    private static string Verbose(Usage usage, DateTimeOffset now) =>
        $"Images space usage:\n\n{Images(now).Render(usage.Images.SelectMany(ImageRow.Of), null)}\n"
        + $"Containers space usage:\n\n{Containers(now).Render(usage.Containers, null)}\n"
        + $"Local Volumes space usage:\n\n{Volumes.Render(usage.Volumes, null)}\n"
        + $"Build cache usage: {Humanized.Size4(usage.Cache.Where(c => !c.Shared).Sum(c => c.Size))}\n\n{Cache(now).Render(usage.Cache, null)}";

    private static Listing<ImageRow> Images(DateTimeOffset now) => new(
        [
            new("Repository", "REPOSITORY", r => r.Repository),
            new("Tag", "TAG", r => r.Tag),
            new("ID", "IMAGE ID", r => Texts.Id(r.Image.Id, noTrunc: false)),
            new("CreatedSince", "CREATED", r => Humanized.Ago(DateTimeOffset.FromUnixTimeSeconds(r.Image.Created), now)),
            new("VirtualSize", "SIZE", r => Humanized.Size(r.Image.Size)),
            new("SharedSize", "SHARED SIZE", r => Humanized.Size4(Math.Max(r.Image.SharedSize, 0))),
            new("UniqueSize", "UNIQUE SIZE", r => Humanized.Size4(r.Image.Size - Math.Max(r.Image.SharedSize, 0))),
            new("Containers", "CONTAINERS", r => r.Image.Containers.ToString(CultureInfo.InvariantCulture)),
        ],
        ["Repository", "Tag", "ID", "CreatedSince", "VirtualSize", "SharedSize", "UniqueSize", "Containers"]);

    private static Listing<ContainerSummary> Containers(DateTimeOffset now) => new(
        [
            new("ID", "CONTAINER ID", c => Texts.Id(c.Id, noTrunc: false)),
            new("Image", "IMAGE", c => Texts.Image(c.Image, noTrunc: false)),
            new("Command", "COMMAND", c => $"\"{(c.Command.Length > 20 ? c.Command[..19] + "…" : c.Command)}\""),
            new("LocalVolumes", "LOCAL VOLUMES", c => c.Mounts.Count(m => m.Driver == "local").ToString(CultureInfo.InvariantCulture)),
            new("Size", "SIZE", c => Humanized.Size(c.SizeRw ?? 0)),
            new("RunningFor", "CREATED", c => Humanized.Ago(DateTimeOffset.FromUnixTimeSeconds(c.Created), now)),
            new("Status", "STATUS", c => c.Status),
            new("Names", "NAMES", c => string.Join(',', c.Names.Select(n => n.TrimStart('/')))),
        ],
        ["ID", "Image", "Command", "LocalVolumes", "Size", "RunningFor", "Status", "Names"]);

    private static Listing<Volume> Volumes { get; } = new(
        [
            new("Name", "VOLUME NAME", v => v.Name),
            new("Links", "LINKS", v => (v.UsageData?.RefCount ?? 0).ToString(CultureInfo.InvariantCulture)),
            new("Size", "SIZE", v => v.UsageData is { Size: >= 0 } usage ? Humanized.Size4(usage.Size) : "N/A"),
        ],
        ["Name", "Links", "Size"]);

    private static Listing<CacheStep> Cache(DateTimeOffset now) => new(
        [
            new("ID", "CACHE ID", c => Texts.Id(c.Id, noTrunc: false)),
            new("CacheType", "CACHE TYPE", c => c.Type),
            new("Size", "SIZE", c => Humanized.Size4(c.Size)),
            new("CreatedSince", "CREATED", c => Humanized.Ago(c.Created, now)),
            new("LastUsedSince", "LAST USED", c => Humanized.Ago(c.LastUsed, now)),
            new("UsageCount", "USAGE", c => c.Uses.ToString(CultureInfo.InvariantCulture)),
            new("Shared", "SHARED", c => c.Shared ? "true" : "false"),
        ],
        ["ID", "CacheType", "Size", "CreatedSince", "LastUsedSince", "UsageCount", "Shared"]);
}
