using System.Collections.Immutable;
using Orchestrator.Worker.Images.Content;

namespace Orchestrator.Worker.Images;

/// <summary>Finding, removing and collecting.</summary>
internal sealed partial class ImageStore
{
    /// <summary>Untags or deletes, by Docker's rules.</summary>
    internal async ValueTask<ImmutableArray<RemovedItem>> RemoveAsync(string reference, RemoveOptions how, CancellationToken stop)
    {
        var removed = await Task.Run(() => Carry(state => Plan(state, reference, how)), stop);
        await Task.Run(Collect, stop);
        return removed;
    }

    /// <summary>Removes images nobody needs and the content only they had.</summary>
    internal async ValueTask<PruneReport> PruneAsync(PruneOptions which, CancellationToken stop)
    {
        var removed = ImmutableArray.CreateBuilder<RemovedItem>();
        foreach (var image in await ListAsync(stop))
        {
            var dangling = image.RepoTags.IsEmpty && image.RepoDigests.IsEmpty;
            if ((!which.All && !dangling) || !HoldersOf(image.Id).IsEmpty || image.Created > which.Until || !which.Matches(image))
                continue;
            removed.AddRange(await Task.Run(() => Carry(state => PlanPrune(state, image.Id)), stop));
        }
        return new(removed.ToImmutable(), await Task.Run(Collect, stop));
    }

    /// <summary>Forgets the steps of builds that were made until then, and removes the content only they had.</summary>
    internal async ValueTask<PruneReport> PruneBuildCacheAsync(DateTimeOffset until, CancellationToken stop)
    {
        await Task.Run(() => Cache.Clear(until), stop);
        return new([], await Task.Run(Collect, stop));
    }

    // A container may have come, or the image gone, since the list was read.
    private RemovalPlan? PlanPrune(CatalogState state, string id) =>
        state.Images.ContainsKey(id) && HoldersOf(id).IsEmpty ? new(id, state.NamesOf(id), Delete: true) : null;

    private RemovalPlan Plan(CatalogState state, string reference, RemoveOptions how)
    {
        var (id, name) = Find(state, reference) ?? throw ImageException.NotFound(reference);
        return RemovalPlan.Of(state, name is null ? reference : ImageReference.Parse(name).Familiar, id, name, HoldersOf(id), how);
    }

    private ImmutableArray<RemovedItem> Carry(Func<CatalogState, RemovalPlan?> decide)
    {
        RemovalPlan? plan = null;
        _content.Catalog.Update(state =>
        {
            plan = decide(state);
            return plan is null
                ? state
                : new(state.Names.RemoveRange(plan.Untag), plan.Delete ? state.Images.Remove(plan.ImageId) : state.Images);
        });
        if (plan is null)
            return [];
        var removed = plan.Untag.Select(n => new RemovedItem(ImageReference.Parse(n).Familiar, null)).ToImmutableArray();
        foreach (var item in removed)
            _content.Tell("untag", plan.ImageId, item.Untagged!);
        if (!plan.Delete)
            return removed;
        _content.Tell("delete", plan.ImageId, plan.ImageId);
        return removed.Add(new(null, plan.ImageId));
    }

    private long Collect()
    {
        _content.Layers.Collect(() => _content.Catalog.State.Images.Values.SelectMany(i => i.Document.Rootfs.DiffIds)
            .Concat(_content.Holders.All.SelectMany(h => h.DiffIds))
            .Concat(Cache.DiffIds)
            .ToHashSet(StringComparer.Ordinal));
        return _content.Blobs.Collect(() => _content.Catalog.State.Images.Values.SelectMany(i => i.Blobs)
            .Concat(Cache.Blobs)
            .ToHashSet(StringComparer.Ordinal));
    }

    /// <summary>By full id, by name, then by id prefix.</summary>
    private static (string Id, string? Name)? Find(CatalogState state, string written)
    {
        if (state.Images.ContainsKey(written))
            return (written, null);
        if (ImageReference.TryParse(written, out var name, out var problem))
        {
            if (FindName(state, name!) is { } found)
                return found;
        }
        var prefix = written.StartsWith(Digests.Sha256, StringComparison.Ordinal) ? written : Digests.Sha256 + written;
        if (prefix.Length > Digests.Sha256.Length && prefix.AsSpan(Digests.Sha256.Length).IndexOfAnyExcept(_hexDigits) < 0)
        {
            var fits = state.Images.Keys.Where(id => id.StartsWith(prefix, StringComparison.Ordinal)).Take(2).ToList();
            return fits.Count switch
            {
                0 => null,
                1 => (fits[0], null),
                _ => throw ImageException.Invalid($"ambiguous image id: {written} fits several images"),
            };
        }
        return problem is null ? null : throw ImageException.Invalid(problem);
    }

    private static (string Id, string? Name)? FindName(CatalogState state, ImageReference name)
    {
        if (name.Digest is null)
            return state.Names.TryGetValue(name.Canonical, out var id) ? (id, name.Canonical) : null;
        var byDigest = name.WithDigest(name.Digest).Canonical;
        if (state.Names.TryGetValue(byDigest, out var fetched))
            return (fetched, byDigest);
        // Content loaded from an archive has no digest reference; the manifest's digest says the same.
        foreach (var (other, image) in state.Names)
        {
            if (state.Images[image].Manifest.Digest == name.Digest && ImageReference.Parse(other).Repository == name.Repository)
                return (image, other);
        }
        return null;
    }

    private static readonly System.Buffers.SearchValues<char> _hexDigits = System.Buffers.SearchValues.Create("0123456789abcdef");
}
