using System.Collections.Immutable;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;

namespace Orchestrator.Manager.Dispatch;

/// <summary>
/// Which secrets and configs a node is sent and told to forget: it has those of its own tasks that have not ended, and no others.
/// Their bytes never change, so an id that was sent is enough.
/// </summary>
/// <param name="More">True: this is what one message should hold, and there are more.</param>
internal sealed record PayloadPlan(IReadOnlyList<AssignedPayload> Secrets, IReadOnlyList<AssignedPayload> Configs, IReadOnlyList<string> Removed, bool More)
{
    /// <summary>A quarter of the longest message: base64 adds a third, and the tasks want room too.</summary>
    internal const int MostBytes = 16 << 20;

    internal bool IsEmpty => Secrets.Count + Configs.Count + Removed.Count == 0;

    internal static PayloadPlan Plan(ClusterState state, IReadOnlyList<ServiceTask> tasks, ImmutableHashSet<string> told)
    {
        var specs = tasks.Where(t => !t.Status.State.IsTerminal()).Select(t => t.Spec.ContainerSpec).OfType<ContainerSpec>().Distinct(ReferenceEqualityComparer.Instance)
            .Cast<ContainerSpec>().Where(s => s.Secrets.Count + s.Configs.Count > 0).ToList();
        if (specs.Count == 0 && told.IsEmpty)
            return new([], [], [], false);
        var secrets = Ids(specs.SelectMany(s => s.Secrets).Select(r => r.SecretId));
        var configs = Ids(specs.SelectMany(s => s.Configs).Select(r => r.ConfigId));
        var left = MostBytes;
        var more = false;
        return new(
            Take(secrets.Except(told).Select(id => state.Secrets.GetValueOrDefault(id))),
            Take(configs.Except(told).Select(id => state.Configs.GetValueOrDefault(id))),
            [.. told.Except(secrets).Except(configs).Order(StringComparer.Ordinal)],
            more);

        // One that was removed while its tasks still run is not sent: they have it already, or say that it is missing.
        List<AssignedPayload> Take(IEnumerable<StoredPayload?> wanted)
        {
            var taken = new List<AssignedPayload>();
            foreach (var payload in wanted.OfType<StoredPayload>())
            {
                var data = payload.Content.Data ?? [];
                if (left < data.Length)
                {
                    more = true;
                    break;
                }

                left -= data.Length;
                taken.Add(new() { Id = payload.Id, Name = payload.Content.Name, Data = data, Template = payload.Content.Templating?.Name == "golang" });
            }

            return taken;
        }
    }

    internal ImmutableHashSet<string> After(ImmutableHashSet<string> told) =>
        told.Except(Removed).Union(Secrets.Concat(Configs).Select(p => p.Id));

    private static ImmutableSortedSet<string> Ids(IEnumerable<string> ids) => ids.ToImmutableSortedSet(StringComparer.Ordinal);
}
