using System.Collections.Immutable;
using Microsoft.Extensions.Logging;
using Orchestrator.Manager.State;

namespace Orchestrator.Manager.Roles;

/// <summary>Makes the roles in force those asked for, while this manager leads.</summary>
internal sealed class RoleLoop(Cluster cluster, IManagers managers, TimeProvider time, ILogger log)
{
    /// <summary>How often the members are looked at when the state stands still, and after a failure.</summary>
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    internal async Task RunAsync(CancellationToken stop)
    {
        var told = ImmutableArray<string>.Empty;
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            var state = cluster.Current;
            var view = managers.View;
            var decision = state.Swarm is null ? new([], null, []) : RolePlan.Plan(state, view, time.GetUtcNow());
            foreach (var wait in decision.Waits.Except(told))
                log.RoleWaits(wait);
            told = decision.Waits;
            try
            {
                if (!decision.Commands.IsEmpty)
                    await cluster.ProposeAsync(new Turn(decision.Commands) { At = time.GetUtcNow() }, stop);
                else if (decision.Remove is { } leaves)
                    await RemoveAsync(leaves, stop);
                else
                    await SleepAsync(state, view.Members.Length > 1 || !told.IsEmpty, stop);
            }
            catch (Exception failure) when (failure is ClusterUnavailableException or ManagersException)
            {
                log.RoleChangeFailed(failure.Message);
                await Task.Delay(Period, time, stop);
            }
        }
    }

    private async Task RemoveAsync(ManagerMember member, CancellationToken stop)
    {
        var name = member.Node?.Value ?? $"{member.Key.Value:x}";
        log.Removing(name);
        await managers.RemoveAsync(member.Key, stop);
        log.Removed(name);
    }

    /// <summary>Until the state changes; members change without it, so where there are several they are looked at now and then.</summary>
    private async Task SleepAsync(ClusterState seen, bool look, CancellationToken stop)
    {
        if (!look)
        {
            await cluster.NewerThanAsync(seen, StateParts.Members, stop);
            return;
        }

        using var awake = CancellationTokenSource.CreateLinkedTokenSource(stop);
        await using var clock = time.CreateTimer(static a => ((CancellationTokenSource)a!).Cancel(), awake, Period, Timeout.InfiniteTimeSpan);
        try
        {
            await cluster.NewerThanAsync(seen, StateParts.Members, awake.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // It is time.
        }
    }
}
