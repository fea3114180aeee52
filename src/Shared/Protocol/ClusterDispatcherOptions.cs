using Orchestrator.Shared.Hosting;

namespace Orchestrator.Shared.Protocol;

/// <summary>How a node finds the manager that leads.</summary>
public sealed record ClusterDispatcherOptions
{
    /// <summary>The managers that the node knew last.</summary>
    public required IReadOnlyList<ManagerPeer> Managers { get; init; }

    /// <summary>Reaches a manager; null when its address makes no sense. Connections are opened at the first call.</summary>
    public required Func<ManagerPeer, DispatcherLink?> Dial { get; init; }

    /// <summary>In [0, 1): the caller's randomness.</summary>
    public required Func<double> Jitter { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Fills in what the agent does not know of its node: its address, who issued its certificate. Asked at each session.</summary>
    public Func<SessionRequest, SessionRequest> Complete { get; init; } = request => request;

    /// <summary>Sees every message of a session before the agent does: managers, role and roots in it are the node's affair.</summary>
    public Action<Assignments> Heard { get; init; } = _ => { };

    /// <summary>How long one manager may keep silent before the next is asked beside it.</summary>
    public TimeSpan Hedge
    {
        get;
        init => field = value > TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(value));
    } = TimeSpan.FromMilliseconds(200);

    /// <summary>How long a manager may take for its first word, at its first silence and at those after: a leader says something at once.</summary>
    public Backoff Silence { get; init; } = new() { First = TimeSpan.FromSeconds(1), Most = TimeSpan.FromSeconds(3), Factor = 1.5 };

    /// <summary>How soon a manager that refused is asked again.</summary>
    public Backoff Again { get; init; } = new() { First = TimeSpan.FromMilliseconds(100), Most = TimeSpan.FromSeconds(1) };

    /// <summary>After so long without a session the caller is told why.</summary>
    public TimeSpan Patience
    {
        get;
        init => field = value > TimeSpan.Zero ? value : throw new ArgumentOutOfRangeException(nameof(value));
    } = TimeSpan.FromSeconds(5);
}

/// <summary>A way to one manager's dispatcher.</summary>
/// <param name="Dispatcher">The manager's.</param>
/// <param name="Channel">What carries it: disposed when it is not wanted any more or was found dead.</param>
public sealed record DispatcherLink(IDispatcher Dispatcher, IDisposable? Channel);
