using System.Runtime.CompilerServices;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Tests.Simulation.Control;
using Orchestrator.Tests.Simulation.Raft;
using Orchestrator.Worker.Agent;

namespace Orchestrator.Tests.Simulation.Liveness;

/// <summary>A host under a real agent: containers take their time to be made, started and stopped, and everything done is noted.</summary>
internal sealed class FakeHost(VirtualTime time, Dice dice) : ITaskExecutor
{
    private readonly Dictionary<TaskId, TaskCompletionSource<int>> running = [];
    private readonly Dictionary<TaskId, int> ended = [];

    /// <summary>What happened, in order.</summary>
    internal List<(DateTimeOffset At, string What, TaskId Task)> Story { get; } = [];

    /// <summary>The table in force.</summary>
    internal EndpointTable? Endpoints { get; private set; }

    internal IReadOnlyCollection<TaskId> Running => running.Keys;

    internal int Starts(TaskId task) => Story.Count(s => s.What == "start" && s.Task == task);

    internal void Exit(TaskId task, int code)
    {
        if (!running.Remove(task, out var ends))
            throw new InvalidOperationException($"{task} does not run");
        ended[task] = code;
        Note("exit", task);
        ends.SetResult(code);
    }

    public Task EnsureNetworksAsync(IReadOnlyList<Network> networks, CancellationToken stop) => Task.CompletedTask;

    public Task ApplyEndpointsAsync(EndpointTable table, CancellationToken stop)
    {
        Endpoints = table;
        Note("endpoints", default);
        return Task.CompletedTask;
    }

    public void UsePayloads(NodePayloads payloads)
    {
    }

    public Task RestoreFilesAsync(TaskAssignment task, CancellationToken stop) => Task.CompletedTask;

    public Task PrepareAsync(TaskAssignment task, CancellationToken stop) => PauseAsync(50, stop);

    public async Task<TaskContainerStatus> StartAsync(TaskAssignment task, CancellationToken stop)
    {
        await PauseAsync(200, stop);
        if (running.TryAdd(task.Task.Id, new()))
            Note("start", task.Task.Id);
        return new() { ContainerId = task.Task.Id.Value };
    }

    public async Task<TaskExit> WaitAsync(TaskAssignment task, CancellationToken stop)
    {
        var id = task.Task.Id;
        var code = ended.TryGetValue(id, out var known) ? known : running.TryGetValue(id, out var ends) ? await ends.Task.WaitAsync(stop) : 0;
        return new() { Container = new() { ContainerId = id.Value, ExitCode = code } };
    }

    public async IAsyncEnumerable<TaskHealth> WatchHealthAsync(TaskAssignment task, [EnumeratorCancellation] CancellationToken stop)
    {
        yield return TaskHealth.Unchecked;
        await Task.Delay(Timeout.InfiniteTimeSpan, time, stop);
    }

    public Task<bool> IsServingAsync(TaskAssignment task, CancellationToken stop) => Task.FromResult(false);

    public async Task<TaskContainerStatus?> StopAsync(TaskAssignment task, CancellationToken stop)
    {
        Note("stop", task.Task.Id);
        await PauseAsync(300, stop);
        if (running.Remove(task.Task.Id, out var ends))
        {
            ended[task.Task.Id] = 143;
            ends.SetResult(143);
        }

        return new() { ContainerId = task.Task.Id.Value, ExitCode = 143 };
    }

    public Task RemoveAsync(TaskAssignment task, CancellationToken stop)
    {
        if (running.Remove(task.Task.Id, out var ends))
            ends.SetResult(137);
        Note("remove", task.Task.Id);
        return Task.CompletedTask;
    }

    public Task RemoveStraysAsync(IReadOnlySet<TaskId> known, CancellationToken stop) =>
        running.Keys.Any(t => !known.Contains(t)) ? throw new InvalidOperationException("a container runs that the agent does not know") : Task.CompletedTask;

    public Task PruneNetworksAsync(CancellationToken stop) => Task.CompletedTask;

    private Task PauseAsync(int most, CancellationToken stop) => Task.Delay(TimeSpan.FromMilliseconds(1 + dice.Below(most)), time, stop);

    private void Note(string what, TaskId task) => Story.Add((time.GetUtcNow(), what, task));
}
