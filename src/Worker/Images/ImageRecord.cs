using System.Collections.Immutable;

namespace Orchestrator.Worker.Images;

/// <summary>One image of this host, as the store knows it at one moment.</summary>
internal sealed record ImageRecord
{
    /// <summary>The config's digest, <c>sha256:…</c>.</summary>
    public required string Id { get; init; }

    /// <summary>Familiar names with tag (<c>busybox:latest</c>), in ordinal order; empty for a dangling image.</summary>
    public ImmutableArray<string> RepoTags { get; init; } = [];

    /// <summary>Familiar names with the manifest digest they were fetched by (<c>busybox@sha256:…</c>).</summary>
    public ImmutableArray<string> RepoDigests { get; init; } = [];

    /// <summary>The digest of the manifest in the content store.</summary>
    public required string ManifestDigest { get; init; }

    public required ImageConfig Config { get; init; }
    public string Architecture { get; init; } = "";
    public string? Variant { get; init; }
    public string Os { get; init; } = "";
    public string Author { get; init; } = "";
    public string Comment { get; init; } = "";
    public DateTimeOffset? Created { get; init; }

    /// <summary>Bytes of the layers unpacked, as Docker counts: sum of regular files' lengths.</summary>
    public long Size { get; init; }

    /// <summary>Uncompressed layer digests, bottom first.</summary>
    public ImmutableArray<string> DiffIds { get; init; } = [];

    public ImmutableArray<ImageHistoryEntry> History { get; init; } = [];

    /// <summary>The id without algorithm, cut to twelve digits.</summary>
    public string ShortId => ImageIds.Short(Id);
}

/// <summary>How ids are written for people.</summary>
internal static class ImageIds
{
    internal static string Short(string id)
    {
        var hex = id.StartsWith("sha256:", StringComparison.Ordinal) ? id["sha256:".Length..] : id;
        return hex.Length > 12 ? hex[..12] : hex;
    }
}

/// <summary>The unpacked layers of an image, held for one holder.</summary>
/// <param name="ImageId">The image they belong to.</param>
/// <param name="LowerDirs">Absolute directories for overlayfs, top layer first; empty for an image without layers.</param>
internal sealed record LayerStack(string ImageId, ImmutableArray<string> LowerDirs);

/// <summary>One line of <c>docker history</c>, newest first.</summary>
internal sealed record HistoryLine(string Id, DateTimeOffset? Created, string CreatedBy, ImmutableArray<string> Tags, long Size, string Comment);

/// <summary>One effect of <see cref="ImageStore.RemoveAsync"/>: exactly one of the two is set.</summary>
internal sealed record RemovedItem(string? Untagged, string? Deleted);

/// <summary>What a prune removed and how many bytes it gave back.</summary>
internal sealed record PruneReport(ImmutableArray<RemovedItem> Removed, long SpaceReclaimed);

/// <summary>How to remove an image.</summary>
internal sealed record RemoveOptions
{
    /// <summary>Untag although a stopped container uses it, and delete although several names point to it.</summary>
    public bool Force { get; init; }

    /// <summary>Tells whether a holder (a container id) runs: running ones cannot be overridden by force.</summary>
    public Func<string, bool> IsRunning { get; init; } = _ => false;
}

/// <summary>Which images a prune takes.</summary>
internal sealed record PruneOptions
{
    /// <summary>False: only dangling images. True: every image that no holder uses.</summary>
    public bool All { get; init; }

    /// <summary>Only images created before this moment.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>Only images for which this holds (label filters).</summary>
    public Func<ImageRecord, bool> Matches { get; init; } = _ => true;
}

/// <summary>An event of an image as <c>docker events</c> names it: load, import, tag, untag, delete, prune.</summary>
internal sealed record ImageEvent(string Action, string Id, string Name, DateTimeOffset At);
