namespace Orchestrator.Worker.Containers;

/// <summary>Which containers a list shows.</summary>
internal sealed record ContainerQuery
{
    /// <summary>The filters of <c>GET /containers/json</c> that are understood.</summary>
    internal static string[] KnownFilters { get; } =
        ["ancestor", "before", "exited", "expose", "health", "id", "is-task", "label", "name", "network", "publish", "since", "status", "volume"];

    /// <summary>False: running ones alone, unless a status is filtered for.</summary>
    public bool All { get; init; }

    /// <summary>The newest ones only; includes stopped ones, as Docker's.</summary>
    public int? Limit { get; init; }

    /// <summary>By name; values of one filter are alternatives, filters must all hold.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Filters { get; init; } = new Dictionary<string, IReadOnlyList<string>>();
}

/// <summary>What <see cref="ContainerHost.WaitAsync"/> waits for.</summary>
internal enum WaitCondition
{
    /// <summary>Returns at once when it does not run.</summary>
    NotRunning,

    /// <summary>The next exit, also of a container that is not started yet.</summary>
    NextExit,

    /// <summary>The container's removal.</summary>
    Removed,
}

/// <summary>A container that was made and the things about it that the user should know.</summary>
internal sealed record CreatedContainer(string Id, IReadOnlyList<string> Warnings);
