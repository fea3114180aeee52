using Orchestrator.Cli.Compose.Syntax;

namespace Orchestrator.Cli.Compose.Reading;

/// <summary>Networks, volumes, secrets and configs that the stack uses and does not make.</summary>
internal static class ExternalReading
{
    /// <summary><c>external: true</c>, or the older <c>external: {name: N}</c>.</summary>
    internal static (bool External, string? Name) Read(MapReader body)
    {
        if (body.Take("external") is not MappingNode)
            return (body.Flag("external") ?? false, null);
        var inner = body.Map("external")!;
        var name = inner.Text("name");
        inner.Close();
        return (true, name);
    }

    /// <summary>Whoever does not make it cannot say how it is.</summary>
    internal static void RefuseOthers(MapReader body, string subject)
    {
        foreach (var other in body.Entries.Where(e => e.Key is not ("external" or "name") && !e.Key.StartsWith("x-", StringComparison.Ordinal)))
            body.Problems.Add(other.At, $"{subject} is external, so '{other.Key}' cannot be set here");
    }
}
