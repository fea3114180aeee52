using System.Collections.Immutable;
using Orchestrator.Shared.Protocol;

namespace Orchestrator.Worker.Agent;

/// <summary>The secrets and configs that the manager gave this node: in memory only, by id.</summary>
internal sealed record NodePayloads(ImmutableDictionary<string, AssignedPayload> Secrets, ImmutableDictionary<string, AssignedPayload> Configs)
{
    internal static NodePayloads None { get; } = new(
        ImmutableDictionary.Create<string, AssignedPayload>(StringComparer.Ordinal), ImmutableDictionary.Create<string, AssignedPayload>(StringComparer.Ordinal));

    internal NodePayloads After(Assignments assignments) => new(
        Secrets.RemoveRange(assignments.RemovedPayloads).SetItems(assignments.Secrets.Select(s => KeyValuePair.Create(s.Id, s))),
        Configs.RemoveRange(assignments.RemovedPayloads).SetItems(assignments.Configs.Select(c => KeyValuePair.Create(c.Id, c))));
}
