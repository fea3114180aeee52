using System.Collections.Immutable;

namespace Orchestrator.Manager.State;

/// <summary>Remembers the newest outcomes by request id, so that a retried command is answered and not applied twice.</summary>
internal sealed record RequestMemory(ImmutableSortedDictionary<string, Outcome> Outcomes, ImmutableQueue<string> Oldest)
{
    /// <summary>
    /// A retry comes as soon as there is another leader, behind whatever its other clients wrote until then: at twenty thousand writes a second
    /// this is the best part of half a second of them.
    /// </summary>
    internal const int Capacity = 8192;

    internal static RequestMemory Empty { get; } = new(
        ImmutableSortedDictionary.Create<string, Outcome>(StringComparer.Ordinal), []);

    internal RequestMemory Remember(string id, Outcome outcome)
    {
        var outcomes = Outcomes.SetItem(id, outcome);
        var oldest = Oldest.Enqueue(id);
        while (outcomes.Count > Capacity)
        {
            oldest = oldest.Dequeue(out var forgotten);
            outcomes = outcomes.Remove(forgotten);
        }

        return new(outcomes, oldest);
    }
}
