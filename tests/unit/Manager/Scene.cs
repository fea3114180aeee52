using Orchestrator.Manager.Leadership;
using Orchestrator.Manager.State;
using Orchestrator.Manager.State.Apply;
using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Unit.Manager;

/// <summary>A state that grows by commands, as in a story: each is applied at the scene's time.</summary>
internal sealed class Scene
{
    private ulong counter;

    internal Scene(int nodes = 1)
    {
        Ids = new(Fill);
        Do(new InitSwarm(new() { Id = "swarm" }, NodeOf(1, NodeRole.Manager)) { At = Now });
        foreach (var i in Enumerable.Range(2, nodes - 1))
            Do(new JoinNode(NodeOf(i, NodeRole.Worker)) { At = Now });
    }

    internal static DateTimeOffset Start { get; } = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    internal ClusterState State { get; private set; } = ClusterState.Empty;

    internal DateTimeOffset Now { get; set; } = Start;

    internal IdSource Ids { get; }

    internal IReadOnlyList<ServiceTask> Tasks => [.. State.Tasks.Values.OrderBy(t => t.Slot).ThenBy(t => t.CreatedAt)];

    internal Applied Do(Command command)
    {
        var applied = Applying.Run(State, State.Index + 1, command);
        State = applied.State;
        return applied;
    }

    /// <summary>Takes turns of the control plane until it has nothing to say; how many it took.</summary>
    internal int Settle()
    {
        for (var turns = 0; turns < 20; turns++)
        {
            var decision = ControlTurn.Plan(State, Now, Ids);
            if (decision.Commands.Count == 0)
                return turns;
            Do(new Turn(decision.Commands) { At = Now });
        }

        throw new InvalidOperationException("the control plane never rests");
    }

    internal void Advance(double seconds) => Now += TimeSpan.FromSeconds(seconds);

    internal ServiceId Create(ServiceSpec spec)
    {
        var id = new ServiceId(Ids.Next());
        Assert.Null(Do(new CreateService(id, spec) { At = Now }).Outcome.Refusal);
        return id;
    }

    internal Refusal? Refused(ServiceSpec spec) => Do(new CreateService(new(Ids.Next()), spec) { At = Now }).Outcome.Refusal;

    internal Outcome Update(ServiceId id, Func<ServiceSpec, ServiceSpec> change) =>
        Do(new UpdateService(id, State.Services[id].Version.Index, change(State.Services[id].Spec)) { At = Now }).Outcome;

    internal NetworkId Network(string name, string? subnet = null)
    {
        var id = new NetworkId(Ids.Next());
        var ipam = subnet is null ? null : new Ipam { Config = [new() { Subnet = subnet }] };
        Assert.Null(Do(new CreateNetwork(id, new() { Name = name, Ipam = ipam }) { At = Now }).Outcome.Refusal);
        return id;
    }

    internal void Report(ServiceTask task, TaskState state) => Report(task, state, State.Tasks[task.Id].NodeId);

    internal void Report(ServiceTask task, TaskState state, NodeId node) =>
        Do(new ReportTasks([new(node, [new() { TaskId = task.Id, Status = new() { State = state, Timestamp = Now } }])]) { At = Now });

    /// <summary>The nodes obey: what is to run runs, what is to stop has stopped.</summary>
    internal void Obey()
    {
        foreach (var task in Tasks.Where(t => t.Status.State is >= TaskState.Assigned and <= TaskState.Running))
        {
            if (task.DesiredState > TaskState.Running)
                Report(task, TaskState.Shutdown);
            else if (task.DesiredState == TaskState.Running && task.Status.State < TaskState.Running)
                Report(task, TaskState.Running);
        }
    }

    internal static ServiceSpec Spec(string name, ulong replicas = 1) => new()
    {
        Name = name,
        Mode = new() { Replicated = new() { Replicas = replicas } },
        TaskTemplate = new() { ContainerSpec = new() { Image = "web:1" } },
    };

    internal static ServiceSpec WithImage(ServiceSpec spec, string image) =>
        spec with { TaskTemplate = spec.TaskTemplate with { ContainerSpec = spec.TaskTemplate.ContainerSpec! with { Image = image } } };

    internal static ServiceSpec On(ServiceSpec spec, params string[] networks) =>
        spec with { TaskTemplate = spec.TaskTemplate with { Networks = [.. networks.Select(n => new NetworkAttachmentConfig { Target = n })] } };

    internal static ServiceSpec Publishing(ServiceSpec spec, params PortConfig[] ports) => spec with { EndpointSpec = new() { Ports = ports } };

    private void Fill(Span<byte> bytes)
    {
        bytes.Clear();
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64LittleEndian(bytes, ++counter);
    }

    internal static Node NodeOf(int number, NodeRole role = NodeRole.Worker) => new()
    {
        Id = new($"node-{number}"),
        Spec = new() { Role = role },
        Status = new() { State = NodeState.Ready },
        Description = new()
        {
            Hostname = $"host-{number}",
            Platform = new() { Os = "linux", Architecture = "x86_64" },
            Resources = new() { NanoCpus = 2_000_000_000, MemoryBytes = 1L << 30 },
        },
    };
}
