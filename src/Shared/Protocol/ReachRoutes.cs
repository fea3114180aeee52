namespace Orchestrator.Shared.Protocol;

/// <summary>
/// What of its own containers a node answers managers for over the cluster port, as the Engine API: both ends read this one list. Nothing here
/// makes or removes a container, and nothing is about images, volumes or the cluster.
/// </summary>
public static class ReachRoutes
{
    /// <summary>By a container: its id, its name or its task.</summary>
    public static IReadOnlyList<ReachRoute> Containers { get; } =
    [
        new("GET", "/containers/{id}/json") { ShowsTasks = true },
        new("GET", "/containers/{id}/logs"),
        new("GET", "/containers/{id}/top"),
        new("GET", "/containers/{id}/stats"),
        new("GET", "/containers/{id}/changes"),
        new("GET", "/containers/{id}/export"),
        new("HEAD", "/containers/{id}/archive"),
        new("GET", "/containers/{id}/archive"),
        new("PUT", "/containers/{id}/archive"),
        new("POST", "/containers/{id}/wait"),
        new("POST", "/containers/{id}/kill"), // what an attached client's Ctrl-C becomes
        new("POST", "/containers/{id}/resize"),
        new("POST", "/containers/{id}/attach") { Hijacks = true },
        new("POST", "/containers/{id}/exec") { MakesExec = true },
    ];

    /// <summary>By an exec's id.</summary>
    public static IReadOnlyList<ReachRoute> Execs { get; } =
    [
        new("POST", "/exec/{id}/start") { Hijacks = true },
        new("POST", "/exec/{id}/resize"),
        new("GET", "/exec/{id}/json"),
    ];

    /// <summary>
    /// What would change the life of a container that belongs to a task of another node: its service does that. Such a call is refused with a
    /// sentence and goes nowhere.
    /// </summary>
    public static IReadOnlyList<ReachRoute> Refused { get; } =
    [
        new("POST", "/containers/{id}/start"),
        new("POST", "/containers/{id}/stop"),
        new("POST", "/containers/{id}/restart"),
        new("POST", "/containers/{id}/pause"),
        new("POST", "/containers/{id}/unpause"),
        new("POST", "/containers/{id}/update"),
        new("POST", "/containers/{id}/rename"),
        new("DELETE", "/containers/{id}"),
    ];
}

/// <summary>One route of the Engine API.</summary>
public sealed record ReachRoute(string Method, string Template)
{
    /// <summary>The connection becomes the program's stdio: the end of what the client says is not the client's.</summary>
    public bool Hijacks { get; init; }

    /// <summary>The answer is a new exec's id.</summary>
    public bool MakesExec { get; init; }

    /// <summary>Clients that look for any object ask here first: a bare task id has to stay a task's.</summary>
    public bool ShowsTasks { get; init; }

    /// <summary>The path for one id.</summary>
    public string PathOf(string id) => Template.Replace("{id}", id, StringComparison.Ordinal);
}
