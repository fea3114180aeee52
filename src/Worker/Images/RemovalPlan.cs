using System.Collections.Immutable;
using Orchestrator.Worker.Images.Content;

namespace Orchestrator.Worker.Images;

/// <summary>What a removal takes away.</summary>
/// <param name="Untag">Canonical names to remove.</param>
/// <param name="Delete">Whether the image goes too.</param>
internal sealed record RemovalPlan(string ImageId, ImmutableArray<string> Untag, bool Delete)
{
    /// <summary>Decides by Docker's rules (moby daemon/images/image_delete.go): a name is untagged, the last one takes the image with it.</summary>
    /// <param name="state">Names and images.</param>
    /// <param name="written">What the user wrote, for sentences.</param>
    /// <param name="id">The image it resolved to.</param>
    /// <param name="name">The canonical name it resolved by; null when it was an id.</param>
    /// <param name="holders">Ids of containers that use the image.</param>
    /// <param name="how">Force, and which holders run.</param>
    internal static RemovalPlan Of(
        CatalogState state, string written, string id, string? name, ImmutableArray<string> holders, RemoveOptions how)
    {
        var names = state.NamesOf(id);
        var running = holders.FirstOrDefault(how.IsRunning);
        var user = holders.FirstOrDefault();
        if (name is not null)
        {
            if (!how.Force && user is not null && names.Length == 1)
            {
                throw ImageException.Conflict(
                    $"conflict: unable to remove repository reference \"{written}\" (must force) - container {ImageIds.Short(user)} is using its referenced image {ImageIds.Short(id)}");
            }
            var gone = WithDigestsOfSameRepository(names, name);
            // The last name takes the image along unless a container needs it; with force the image stays, dangling, under a running one.
            return new(id, gone, Delete: gone.Length == names.Length && running is null);
        }
        if (running is not null)
        {
            throw ImageException.Conflict(
                $"conflict: unable to delete {ImageIds.Short(id)} (cannot be forced) - image is being used by running container {ImageIds.Short(running)}");
        }
        if (!how.Force && user is not null)
        {
            throw ImageException.Conflict(
                $"conflict: unable to delete {ImageIds.Short(id)} (must be forced) - image is being used by stopped container {ImageIds.Short(user)}");
        }
        if (!how.Force && names.Select(n => ImageReference.Parse(n).Repository).Distinct(StringComparer.Ordinal).Count() > 1 | TagsOf(names) > 1)
        {
            throw ImageException.Conflict(
                $"conflict: unable to delete {ImageIds.Short(id)} (must be forced) - image is referenced in multiple repositories");
        }
        return new(id, names, Delete: true);
    }

    // When the last tag of a repository goes, its digest references mean nothing any more.
    private static ImmutableArray<string> WithDigestsOfSameRepository(ImmutableArray<string> names, string name)
    {
        var repository = ImageReference.Parse(name).Repository;
        var left = names.Remove(name).Select(ImageReference.Parse).Where(n => n.Repository == repository).ToList();
        return left.Exists(n => n.Tag is not null) ? [name] : [name, .. left.Select(n => n.Canonical)];
    }

    private static int TagsOf(ImmutableArray<string> names) => names.Count(n => ImageReference.Parse(n).Tag is not null);
}
