using Orchestrator.Manager.State;
using Orchestrator.Manager.State.Apply;

namespace Orchestrator.Tests.Doubles;

/// <summary>A log with one member and no disk: what is proposed is applied at once.</summary>
internal sealed class PlayedCluster : ICluster
{
    public ClusterState Current { get; private set; } = ClusterState.Empty;

    /// <summary>Applies what must not be refused.</summary>
    internal void Do(Command command) => Assert.Null(Apply(command).Refusal);

    public Task<Outcome> ProposeAsync(Command command, CancellationToken stop) => Task.FromResult(Apply(command));

    public Task<ClusterState> FreshAsync(CancellationToken stop) => Task.FromResult(Current);

    public IAsyncEnumerable<StateChange> WatchAsync(CancellationToken stop) => throw new NotSupportedException("nobody watches here");

    private Outcome Apply(Command command)
    {
        var applied = Applying.Run(Current, Current.Index + 1, command);
        Current = applied.State;
        return applied.Outcome;
    }
}
