using System.Collections.Immutable;
using Orchestrator.Worker.Runtime;

namespace Orchestrator.Worker.Containers.Plan;

/// <summary>What a daemon finds of a container on disk.</summary>
internal sealed record FoundContainer(string Id, StoredContainer? Container, StoredState? State);

/// <summary>A container that is taken over.</summary>
/// <param name="Container">What it is.</param>
/// <param name="State">How it fares, as far as is known.</param>
/// <param name="WasRunning">It ran when the last daemon went away.</param>
/// <param name="Changed">The state is not what the disk says.</param>
internal sealed record TakenContainer(StoredContainer Container, StoredState State, bool WasRunning, bool Changed);

/// <summary>Brings together what the disk says and what the runtime says, of which the runtime is believed for what runs.</summary>
/// <param name="Keep">Containers to take over.</param>
/// <param name="Remove">Half-made or nobody's: to be removed wherever something of them is.</param>
/// <param name="Forget">Kept, but their ends are on disk already: the runtime need not remember them.</param>
internal sealed record RecoveryPlan(ImmutableArray<TakenContainer> Keep, ImmutableArray<string> Remove, ImmutableArray<string> Forget)
{
    internal static RecoveryPlan Of(IReadOnlyList<FoundContainer> found, IReadOnlyDictionary<string, ContainerRecord> running, DateTimeOffset now)
    {
        var keep = ImmutableArray.CreateBuilder<TakenContainer>();
        var remove = ImmutableArray.CreateBuilder<string>();
        foreach (var one in found.OrderBy(f => f.Id, StringComparer.Ordinal))
        {
            if (one.Container is null || one.Container.Id != one.Id)
                remove.Add(one.Id); // the daemon died while it was made
            else
                keep.Add(Take(one.Container, one.State ?? new StoredState(), running.GetValueOrDefault(one.Id), now));
        }

        var owned = found.Select(f => f.Id).ToHashSet(StringComparer.Ordinal);
        remove.AddRange(running.Keys.Where(id => !owned.Contains(id)).Order(StringComparer.Ordinal));
        var forget = keep.Where(k => running.TryGetValue(k.Container.Id, out var record) && IsRecorded(k.State, record)).Select(k => k.Container.Id);
        return new RecoveryPlan(keep.ToImmutable(), remove.ToImmutable(), [.. forget]);
    }

    /// <summary>The end of this very run is on disk: the daemon died before the runtime forgot it. What the disk says was told already.</summary>
    private static bool IsRecorded(StoredState state, ContainerRecord record) =>
        record.Exit is not null && state.Status is ContainerStatus.Exited or ContainerStatus.Restarting && state.StartedAt == record.StartedAt;

    private static TakenContainer Take(StoredContainer container, StoredState state, ContainerRecord? record, DateTimeOffset now)
    {
        var wasRunning = state.Status == ContainerStatus.Running || record is not null;
        if (state.Status is ContainerStatus.Removing or ContainerStatus.Dead || (record is not null && IsRecorded(state, record)))
            return new TakenContainer(container, state, wasRunning, Changed: false);
        if (record is not null)
        {
            // Its exit, if there is one, comes by the watch: the state is that of a running container until then.
            var taken = state with
            {
                Status = ContainerStatus.Running,
                Paused = record.Paused,
                Pid = record.Pid,
                StartedAt = record.StartedAt,
                StoppedByUser = state.Status == ContainerStatus.Running && state.StoppedByUser,
            };
            return new TakenContainer(container, taken, WasRunning: true, Changed: true);
        }

        if (state.Status != ContainerStatus.Running)
            return new TakenContainer(container, state, wasRunning, Changed: false);
        return new TakenContainer(
            container,
            state with
            {
                Status = ContainerStatus.Exited,
                Paused = false,
                Pid = 0,
                ExitCode = 255,
                ExitUnknown = true,
                Error = "the container ended while no daemon and no shim watched; its exit code is unknown",
                FinishedAt = now,
            },
            WasRunning: true, Changed: true);
    }
}
