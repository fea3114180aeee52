using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Shared.Rpc;
using Orchestrator.Tests.Simulation.Raft;

namespace Orchestrator.Tests.Simulation.Control;

/// <summary>A node's agent over a fake executor: containers start and stop after a while, fail at random, and vanish with the node.</summary>
internal sealed class SimulatedAgent(NodeId node, Func<IDispatcher?> dispatcher, TimeProvider time, Dice dice, Faults faults)
{
    private readonly Dictionary<TaskId, Container> containers = [];
    private readonly List<TaskStatusUpdate> unsent = [];
    private readonly HashSet<string> payloads = new(StringComparer.Ordinal);
    private CancellationTokenSource power = new();

    // Ends with the session, or with what looks for one: a manager that died while it was told something never answers.
    private CancellationToken talk;
    private string? session;
    private bool sending;
    private Task life = Task.CompletedTask;

    internal NodeId Node { get; } = node;

    /// <summary>What really runs here now.</summary>
    internal IEnumerable<ServiceTask> Running => containers.Values.Where(c => c.Alive).Select(c => c.Task);

    /// <summary>Ids of the secrets and configs that were given to this node and not taken back.</summary>
    internal IReadOnlySet<string> Payloads => payloads;

    /// <summary>Tasks that came without a secret that they need.</summary>
    internal HashSet<(TaskId Task, string Secret)> MissingSecrets { get; } = [];

    internal bool IsUp { get; private set; }

    internal void Start()
    {
        IsUp = true;
        power = new();
        life = LiveAsync(power.Token);
    }

    /// <summary>Power fails: containers and everything unsaid are gone.</summary>
    internal void Crash()
    {
        IsUp = false;
        power.Cancel();
        containers.Clear();
        payloads.Clear();
        unsent.Clear();
        session = null;
        sending = false;
    }

    private async Task LiveAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            if (dispatcher() is { } manager)
                await ServeAsync(manager, stop);
            if (!stop.IsCancellationRequested)
                await Pause(50 + dice.Below(400), stop);
        }
    }

    private async Task ServeAsync(IDispatcher manager, CancellationToken stop)
    {
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(stop);
        talk = ending.Token;
        try
        {
            var request = new SessionRequest
            {
                NodeId = Node,
                Address = "192.0.2.1",
                Description = new()
                {
                    Hostname = Node.Value,
                    Platform = new() { Os = "linux", Architecture = "x86_64" },
                    Resources = new() { NanoCpus = 4_000_000_000, MemoryBytes = 4L << 30 },
                },
            };
            await foreach (var message in manager.SessionAsync(request, ending.Token))
            {
                if (session != message.SessionId)
                {
                    session = message.SessionId;
                    payloads.Clear();
                    _ = BeatAsync(manager, message.SessionId, ending);
                }

                Take(message, stop);
                _ = SendAsync(manager, ending.Token);
            }
        }
        catch (Exception failure) when (failure is RpcException or OperationCanceledException)
        {
            // the session is over: another one comes
        }

        ending.Cancel();
        session = null;
    }

    private async Task BeatAsync(IDispatcher manager, string id, CancellationTokenSource ending)
    {
        try
        {
            while (!ending.IsCancellationRequested)
            {
                // A manager that crashed answers nothing; the connection's end is noticed here.
                if (dispatcher() != manager)
                {
                    ending.Cancel();
                    return;
                }

                var reply = await manager.HeartbeatAsync(new() { NodeId = Node, SessionId = id }, ending.Token);
                await Task.Delay(reply.Period, time, ending.Token);
            }
        }
        catch (Exception failure) when (failure is RpcException or OperationCanceledException or ObjectDisposedException)
        {
            // as the real agent does: without a heartbeat there is no session
            if (session == id && !ending.IsCancellationRequested)
                ending.Cancel();
        }
    }

    private void Take(Assignments message, CancellationToken stop)
    {
        payloads.ExceptWith(message.RemovedPayloads);
        payloads.UnionWith(message.Secrets.Concat(message.Configs).Select(p => p.Id));
        if (message.Complete)
        {
            var kept = message.Tasks.Select(t => t.Task.Id).ToHashSet();
            foreach (var id in containers.Keys.Where(id => !kept.Contains(id)).Order().ToList())
                containers.Remove(id);
        }

        foreach (var id in message.RemovedTasks)
            containers.Remove(id);
        foreach (var assignment in message.Tasks)
        {
            var task = assignment.Task;
            if (!task.Status.State.IsTerminal() && task.Spec.ContainerSpec!.Secrets.FirstOrDefault(s => !payloads.Contains(s.SecretId)) is { } missing)
                MissingSecrets.Add((task.Id, missing.SecretId));
            if (containers.TryGetValue(task.Id, out var known))
            {
                known.Task = task;
                known.Changed?.TrySetResult();
                if (message.Complete && known.Last is { } last)
                    unsent.Add(last); // what was said before the break may not have arrived
            }
            else if (!task.Status.State.IsTerminal())
            {
                var container = new Container { Task = task };
                containers.Add(task.Id, container);
                _ = ExecuteAsync(container, stop);
            }
        }
    }

    private async Task ExecuteAsync(Container container, CancellationToken stop)
    {
        try
        {
            if (container.Task.Status.State >= TaskState.Starting)
            {
                Say(container, TaskState.Failed, "the container is gone");
                return;
            }

            if (await WaitAsync(container, TaskState.Ready, stop))
            {
                Say(container, TaskState.Preparing);
                await Pause(1 + dice.Below(300), stop);
                if (faults.Active && dice.Chance(5))
                {
                    Say(container, TaskState.Rejected, "No such image");
                    return;
                }

                Say(container, TaskState.Ready);
            }

            if (!await WaitAsync(container, TaskState.Running, stop))
            {
                Say(container, TaskState.Shutdown);
                return;
            }

            Say(container, TaskState.Starting);
            container.Alive = true;
            await Pause(1 + dice.Below(500), stop);
            if (dice.Chance(30) && !await BecomeHealthyAsync(container, stop))
                return;
            var fails = faults.Active && dice.Chance(25);
            Say(container, TaskState.Running);
            if (fails)
            {
                await Pause(100 + dice.Below(8000), stop);
                if (faults.Active && container.Task.DesiredState == TaskState.Running)
                {
                    container.Alive = false;
                    Say(container, dice.Chance(30) ? TaskState.Complete : TaskState.Failed, "task: non-zero exit (1)");
                    return;
                }
            }

            while (container.Task.DesiredState <= TaskState.Running)
                await container.Told().WaitAsync(stop);
            await Pause(1 + dice.Below(3000), stop);
            container.Alive = false;
            Say(container, TaskState.Shutdown);
        }
        catch (OperationCanceledException)
        {
            container.Alive = false;
        }
    }

    /// <summary>Its health check fails a while; then it succeeds, or the task fails. True when it is healthy or has to end.</summary>
    private async Task<bool> BecomeHealthyAsync(Container container, CancellationToken stop)
    {
        for (var probes = dice.Below(4); probes > 0 && container.Task.DesiredState <= TaskState.Running; probes--)
        {
            Say(container, TaskState.Starting, "health check: not yet");
            await Pause(1 + dice.Below(2000), stop);
        }

        if (!faults.Active || !dice.Chance(25) || container.Task.DesiredState > TaskState.Running)
            return true;
        container.Alive = false;
        Say(container, TaskState.Failed, "unhealthy container: not yet");
        return false;
    }

    /// <summary>True when the task may go so far; false when it has to end.</summary>
    private static async Task<bool> WaitAsync(Container container, TaskState state, CancellationToken stop)
    {
        while (container.Task.DesiredState < state)
            await container.Told().WaitAsync(stop);
        return container.Task.DesiredState <= TaskState.Running;
    }

    private void Say(Container container, TaskState state, string? error = null)
    {
        if (!containers.TryGetValue(container.Task.Id, out var current) || current != container)
            return;
        var update = new TaskStatusUpdate
        {
            TaskId = container.Task.Id,
            Status = new() { State = state, Timestamp = time.GetUtcNow(), Message = state.ToString(), Err = error },
        };
        container.Last = update;
        unsent.Add(update);
        if (dispatcher() is { } manager)
            _ = SendAsync(manager, talk);
    }

    private async Task SendAsync(IDispatcher manager, CancellationToken stop)
    {
        if (sending)
            return;
        sending = true;
        var current = power;
        try
        {
            while (unsent.Count > 0 && session is { } id)
            {
                var batch = unsent.ToList();
                await manager.ReportAsync(new() { NodeId = Node, SessionId = id, Updates = batch }, stop);
                unsent.RemoveRange(0, Math.Min(batch.Count, unsent.Count));
            }
        }
        catch (Exception failure) when (failure is RpcException or OperationCanceledException)
        {
            _ = AgainAsync(manager, stop);
        }
        finally
        {
            if (current == power)
                sending = false;
        }
    }

    /// <summary>While the session holds; another one says everything anew.</summary>
    private async Task AgainAsync(IDispatcher manager, CancellationToken stop)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(200), time, CancellationToken.None);
        if (!stop.IsCancellationRequested && session is not null)
            await SendAsync(manager, stop);
    }

    private Task Pause(int milliseconds, CancellationToken stop) => Task.Delay(TimeSpan.FromMilliseconds(milliseconds), time, stop);

    private sealed class Container
    {
        internal required ServiceTask Task { get; set; }
        internal bool Alive { get; set; }
        internal TaskStatusUpdate? Last { get; set; }
        internal TaskCompletionSource? Changed { get; private set; }

        /// <summary>Completes when the task's assignment changed.</summary>
        internal Task Told() => (Changed is { Task.IsCompleted: false } ? Changed : Changed = new()).Task;
    }
}

/// <summary>Whether things go wrong now.</summary>
internal sealed class Faults
{
    internal bool Active { get; set; } = true;
}
