using System.Runtime.InteropServices;
using Orchestrator.Shared.Model;
using Orchestrator.Worker.Images;

namespace Orchestrator.Worker.Api;

/// <summary>Tells the image room's records in the Engine API's words.</summary>
internal static class ImageAnswers
{
    internal static string ThisPlatform => RuntimeInformation.OSArchitecture switch
    {
        Architecture.X64 => "linux/amd64",
        var other => $"linux/{other.ToString().ToLowerInvariant()}",
    };

    /// <summary>Accepts <c>linux</c>, <c>linux/amd64</c> and <c>amd64</c>, with or without a variant.</summary>
    internal static bool IsThisPlatform(string platform)
    {
        var parts = platform.Split('/');
        var machine = ThisPlatform.Split('/')[1];
        return parts switch
        {
            ["linux"] => true,
            [var architecture] => architecture == machine,
            ["linux", var architecture, ..] => architecture == machine,
            _ => false,
        };
    }

    internal static ImageSummary Summary(ImageRecord image) => new()
    {
        Id = image.Id,
        RepoTags = image.RepoTags,
        RepoDigests = image.RepoDigests,
        Created = image.Created?.ToUnixTimeSeconds() ?? 0,
        Size = image.Size,
        Labels = Labels(image),
    };

    internal static IReadOnlyDictionary<string, string> Labels(ImageRecord image) =>
        image.Config.Labels is { } labels ? labels : new Dictionary<string, string>();

    internal static ImageInspect Inspect(ImageRecord image) => new()
    {
        Id = image.Id,
        RepoTags = image.RepoTags,
        RepoDigests = image.RepoDigests,
        Comment = image.Comment,
        Created = image.Created,
        Author = image.Author,
        Architecture = image.Architecture,
        Os = image.Os,
        Size = image.Size,
        RootFs = new ImageRootFs { Layers = image.DiffIds },
        Config = Config(image.Config),
    };

    internal static ImageHistoryItem History(HistoryLine line) => new()
    {
        Id = line.Id,
        Created = line.Created?.ToUnixTimeSeconds() ?? 0,
        CreatedBy = line.CreatedBy,
        Tags = line.Tags,
        Size = line.Size,
        Comment = line.Comment,
    };

    internal static IReadOnlyList<ImageDeleteItem> Removed(IEnumerable<RemovedItem> removed) =>
        [.. removed.Select(r => new ImageDeleteItem { Untagged = r.Untagged, Deleted = r.Deleted })];

    private static ContainerConfig Config(ImageConfig config) => new()
    {
        User = config.User,
        ExposedPorts = Keys(config.ExposedPorts?.Keys),
        Env = config.Env ?? [],
        Cmd = config.Cmd,
        Entrypoint = config.Entrypoint,
        Healthcheck = config.Healthcheck is { } check
            ? new HealthConfig
            {
                Test = check.Test ?? [],
                Interval = Nanoseconds(check.Interval),
                Timeout = Nanoseconds(check.Timeout),
                StartPeriod = Nanoseconds(check.StartPeriod),
                StartInterval = Nanoseconds(check.StartInterval),
                Retries = check.Retries ?? 0,
            }
            : null,
        Volumes = Keys(config.Volumes?.Keys),
        WorkingDir = config.WorkingDir,
        Labels = config.Labels is { } labels ? labels : new Dictionary<string, string>(),
        StopSignal = config.StopSignal,
        Shell = config.Shell,
    };

    private static TimeSpan Nanoseconds(long? nanoseconds) => TimeSpan.FromTicks((nanoseconds ?? 0) / TimeSpan.NanosecondsPerTick);

    private static Dictionary<string, Orchestrator.Shared.Model.EmptyObject> Keys(IEnumerable<string>? keys) =>
        (keys ?? []).ToDictionary(k => k, _ => new Orchestrator.Shared.Model.EmptyObject(), StringComparer.Ordinal);
}
