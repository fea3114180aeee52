namespace Orchestrator.Worker.Volumes.Plan;

/// <summary>Which volumes a prune takes.</summary>
internal static class VolumePrunePlan
{
    /// <param name="all">All volumes now.</param>
    /// <param name="named">Those with a name of the user's too; else only anonymous ones (Engine API since 1.42).</param>
    /// <param name="filter">What the user restricted it to.</param>
    internal static IReadOnlyList<string> Of(IReadOnlyList<VolumeView> all, bool named, VolumeFilter filter) =>
        [.. all.Where(v => v.Users.Count == 0 && (named || v.IsAnonymous) && filter.Fits(v)).Select(v => v.Volume.Name)];
}
