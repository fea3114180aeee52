using System.Collections.Immutable;
using Orchestrator.Worker.Runtime.Spec;

namespace Orchestrator.Worker.Containers.Plan;

/// <summary>Which of the host's ids are a container's.</summary>
internal sealed record UserRemap
{
    public ImmutableArray<OciIdMapping> Uids { get; init => field = value.IsDefault ? [] : value; } = [];
    public ImmutableArray<OciIdMapping> Gids { get; init => field = value.IsDefault ? [] : value; } = [];

    public bool Equals(UserRemap? other) => other is not null && Uids.SequenceEqual(other.Uids) && Gids.SequenceEqual(other.Gids);

    public override int GetHashCode() => HashCode.Combine(Uids.Length, Uids.FirstOrDefault(), Gids.FirstOrDefault());
}
