using Orchestrator.Shared.Hosting;
using Orchestrator.Shared.Model;

namespace Orchestrator.Worker.Agent;

/// <summary>What a node's agent is made from.</summary>
internal sealed record AgentOptions
{
    public required NodeId Node { get; init; }
    public required NodeDescription Description { get; init; }
    public string Address { get; init; } = "";

    /// <summary>Where the agent's memory of its tasks lies; null: it has none (the simulation).</summary>
    public string? RecordsRoot { get; init; }

    public Backoff Retry { get; init; } = new() { First = TimeSpan.FromMilliseconds(50), Most = TimeSpan.FromSeconds(5) };

    /// <summary>Between two sessions. Short: whoever looks for a manager looks at all of them, and a node without one is soon taken for dead.</summary>
    public Backoff Reconnect { get; init; } = new() { First = TimeSpan.FromMilliseconds(50), Most = TimeSpan.FromSeconds(1) };

    /// <summary>In [0, 1); the caller's randomness.</summary>
    public required Func<double> Jitter { get; init; }

    /// <summary>How many containers are made or started at the same time.</summary>
    public int MostParallel
    {
        get;
        init => field = value > 0 ? value : throw new ArgumentOutOfRangeException(nameof(value));
    } = 16;

    /// <summary>
    /// At most between the moment no new connection is led to a task and its stop signal: what was accepted just before is answered still.
    /// Only for tasks behind a published port, and no longer than somebody is being answered.
    /// </summary>
    public TimeSpan Drain
    {
        get;
        init => field = value >= TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(value));
    } = TimeSpan.FromMilliseconds(250);

    /// <summary>At least so long, busy or not: a connection may be on its way.</summary>
    public TimeSpan ShortestDrain
    {
        get;
        init => field = value >= TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(value));
    } = TimeSpan.FromMilliseconds(50);
}
