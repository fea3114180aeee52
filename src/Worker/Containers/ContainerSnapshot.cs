namespace Orchestrator.Worker.Containers;

/// <summary>A container at one moment, for everybody but its owner.</summary>
/// <param name="Container">What it is.</param>
/// <param name="State">How it fares.</param>
/// <param name="LogEnded">Completes when the present run has written its last line; complete when it does not run.</param>
internal sealed record ContainerSnapshot(StoredContainer Container, StoredState State, Task LogEnded)
{
    internal string Id => Container.Id;

    /// <summary>Completes when there is news of its health, or when it ends.</summary>
    internal Task HealthChanged { get; init; } = Task.CompletedTask;

    internal bool IsRunning => State.Status == ContainerStatus.Running;

    /// <summary>It runs, and its processes stand still.</summary>
    internal bool IsPaused => IsRunning && State.Paused;
}
