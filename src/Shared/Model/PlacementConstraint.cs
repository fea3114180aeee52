namespace Orchestrator.Shared.Model;

/// <summary>A placement constraint: <c>key==value</c> or <c>key!=value</c>, values compared without case, as Swarm's.</summary>
public sealed record PlacementConstraint(string Key, bool Equal, string Value)
{
    private static readonly string[] Keys =
        ["node.id", "node.hostname", "node.role", "node.platform.os", "node.platform.arch"];

    private static readonly string[] Prefixes = ["node.labels.", "engine.labels."];

    /// <summary>Reads a constraint; on failure <paramref name="problem"/> says what is wrong with it.</summary>
    public static PlacementConstraint? Parse(string text, out string problem)
    {
        var unequal = text.IndexOf("!=", StringComparison.Ordinal);
        var equal = text.IndexOf("==", StringComparison.Ordinal);
        var at = unequal < 0 ? equal : equal < 0 ? unequal : Math.Min(equal, unequal);
        if (at < 0)
        {
            problem = $"constraint expected one operator from ==, !=: '{text}'";
            return null;
        }

        var key = text[..at].Trim();
        var value = text[(at + 2)..].Trim();
        if (value.Length == 0 || key.Length == 0)
        {
            problem = $"constraint '{text}' needs a key and a value";
            return null;
        }

        var known = Keys.FirstOrDefault(k => k.Equals(key, StringComparison.OrdinalIgnoreCase))
            ?? Prefixes.Where(p => key.Length > p.Length && key.StartsWith(p, StringComparison.OrdinalIgnoreCase)).Select(p => p + key[p.Length..]).FirstOrDefault();
        if (known is null)
        {
            problem = $"constraint key '{key}' is unknown: use {string.Join(", ", Keys)}, node.labels.NAME or engine.labels.NAME";
            return null;
        }

        if (known == "node.role" && !value.Equals("manager", StringComparison.OrdinalIgnoreCase) && !value.Equals("worker", StringComparison.OrdinalIgnoreCase))
        {
            problem = $"constraint '{text}' can never hold: node.role is manager or worker";
            return null;
        }

        problem = "";
        return new(known, at == equal, value);
    }

    /// <summary>Whether the node may run what the constraint restricts. A label that is not there differs from every value.</summary>
    public bool Holds(Node node)
    {
        var description = node.Description ?? new();
        var actual = Key switch
        {
            "node.id" => node.Id.Value,
            "node.hostname" => description.Hostname,
            "node.role" => node.Spec.Role == NodeRole.Manager ? "manager" : "worker",
            "node.platform.os" => description.Platform.Os,
            "node.platform.arch" => description.Platform.Architecture,
            _ when Key.StartsWith("node.labels.", StringComparison.Ordinal) => node.Spec.Labels.GetValueOrDefault(Key["node.labels.".Length..]),
            _ => description.Engine.Labels.GetValueOrDefault(Key["engine.labels.".Length..]),
        };
        return string.Equals(actual, Value, StringComparison.OrdinalIgnoreCase) == Equal;
    }

    /// <summary>Whether every constraint of a placement holds; one that can't be read holds nowhere.</summary>
    public static bool AllHold(Placement? placement, Node node) =>
        placement is null || placement.Constraints.All(c => Parse(c, out _) is { } constraint && constraint.Holds(node));
}
