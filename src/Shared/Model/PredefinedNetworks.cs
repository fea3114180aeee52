namespace Orchestrator.Shared.Model;

/// <summary>Networks that every node has by itself and that services may name: a task on one has no address of the cluster's.</summary>
public static class PredefinedNetworks
{
    private static readonly Network[] All =
    [
        new() { Id = new("host"), Name = "host", Driver = "host" },
        new() { Id = new("none"), Name = "none", Driver = "null" },
    ];

    /// <summary>By name, which is its id too, so that it means the same on every node.</summary>
    public static Network? Find(string name) => All.FirstOrDefault(n => n.Name == name);
}
