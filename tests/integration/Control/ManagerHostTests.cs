using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Manager;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;

namespace Orchestrator.Tests.Integration.Control;

/// <summary>The manager on its real journal, with an agent that obeys at once.</summary>
public sealed class ManagerHostTests(ITestOutputHelper output) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly NodeId Node = new("node-1");
    private readonly string root = Directory.CreateTempSubdirectory("orch-manager-").FullName;

    [Fact]
    public async Task A_cluster_survives_the_restart_of_its_manager()
    {
        string before;
        await using (var host = await BeginAsync())
        {
            Assert.Null((await host.InitAsync(Init(), CancellationToken.None)).Refusal);
            Assert.Null((await host.Cluster.ProposeAsync(new CreateService(new("web"), Spec("web", 3)) { At = TimeProvider.System.GetUtcNow() }, CancellationToken.None)).Refusal);
            await UntilAsync(host, s => s.Tasks.Count == 3 && s.Tasks.Values.All(t => t.Status is { State: TaskState.Pending, Err: not null }));
            await host.StopAsync();
            before = StateSnapshot.Digest(host.Cluster.Current with { Index = 0 });
        }

        Assert.True(ManagerHost.Exists(root));
        await using var again = await BeginAsync();
        Assert.Equal(before, StateSnapshot.Digest(again.Cluster.Current with { Index = 0 }));
    }

    [Fact]
    public async Task A_cluster_is_made_once()
    {
        await using var host = await BeginAsync();
        Assert.Null((await host.InitAsync(Init(), CancellationToken.None)).Refusal);
        Assert.Contains("already part of a swarm", (await host.InitAsync(Init(), CancellationToken.None)).Refusal!.Message);
    }

    [Fact]
    public async Task A_wrong_spec_is_refused_with_all_its_problems_and_leaves_no_entry()
    {
        await using var host = await BeginAsync();
        await host.InitAsync(Init(), CancellationToken.None);
        await UntilAsync(host, s => s.Networks.Values.All(n => n.Ipam.Config.Count > 0));
        var index = host.Cluster.Current.Index;
        var outcome = await host.Cluster.ProposeAsync(new CreateService(new("x"), Spec("", 1)) { At = TimeProvider.System.GetUtcNow() }, CancellationToken.None);
        Assert.Equal(RefusalKind.Invalid, outcome.Refusal!.Kind);
        Assert.Equal(index, host.Cluster.Current.Index);
    }

    [Fact]
    public async Task Replicas_run_as_soon_as_their_node_says_so()
    {
        await using var host = await BeginAsync();
        await host.InitAsync(Init(), CancellationToken.None);
        using var stop = new CancellationTokenSource();
        var agent = ObeyAsync(host.Dispatcher, stop.Token);
        await UntilAsync(host, s => s.Nodes[Node].Status.State == NodeState.Ready);
        foreach (var (name, replicas) in new[] { ("warm", 1), ("one", 1), ("thirty", 30), ("again", 30) })
        {
            var began = Stopwatch.GetTimestamp();
            var entries = host.Cluster.Current.Index;
            await host.Cluster.ProposeAsync(
                new CreateService(new(name), Spec(name, (ulong)replicas)) { At = TimeProvider.System.GetUtcNow() }, CancellationToken.None);
            await UntilAsync(host, s => s.Tasks.Values.Count(t => t.ServiceName == name && t.Status.State == TaskState.Running) == replicas);
            output.WriteLine($"{name}: {replicas} running after {Stopwatch.GetElapsedTime(began).TotalMilliseconds:0.0} ms and {host.Cluster.Current.Index - entries} entries");
        }

        await stop.CancelAsync();
        await agent;
    }

    public void Dispose() => Directory.Delete(root, recursive: true);

    private async Task<ManagerHost> BeginAsync()
    {
        var host = new ManagerHost(new ManagerOptions { NodeId = Node, DataRoot = root, Logs = NullLoggerFactory.Instance });
        await host.StartAsync(CancellationToken.None);
        return host;
    }

    private static async Task ObeyAsync(IDispatcher dispatcher, CancellationToken stop)
    {
        var reports = new List<Task>();
        try
        {
            await foreach (var message in dispatcher.SessionAsync(new() { NodeId = Node, Description = new() { Hostname = "here" } }, stop))
            {
                foreach (var task in message.Tasks.Where(t => t.Task.DesiredState == TaskState.Running && t.Task.Status.State == TaskState.Assigned))
                    reports.Add(SayAsync(dispatcher, message.SessionId, task.Task.Id, stop));
            }
        }
        catch (OperationCanceledException)
        {
            // the test is over
        }

        await Task.WhenAll(reports);
    }

    private static async Task SayAsync(IDispatcher dispatcher, string session, TaskId task, CancellationToken stop)
    {
        foreach (var state in new[] { TaskState.Preparing, TaskState.Starting, TaskState.Running })
        {
            var status = new ServiceTaskStatus { State = state, Timestamp = TimeProvider.System.GetUtcNow() };
            await dispatcher.ReportAsync(new() { NodeId = Node, SessionId = session, Updates = [new() { TaskId = task, Status = status }] }, stop);
        }
    }

    private static async Task UntilAsync(ManagerHost host, Func<ClusterState, bool> holds)
    {
        using var late = new CancellationTokenSource(Patience);
        var changes = host.Cluster.WatchAsync(late.Token);
        if (holds(host.Cluster.Current))
            return;
        await foreach (var change in changes)
        {
            if (holds(change.Lagged ? host.Cluster.Current : change.State))
                return;
        }
    }

    private static InitSwarm Init() => new(
        new() { Id = "swarm" }, new() { Id = Node, Spec = new() { Role = NodeRole.Manager } }) { At = TimeProvider.System.GetUtcNow() };

    private static ServiceSpec Spec(string name, ulong replicas) => new()
    {
        Name = name,
        Mode = new() { Replicated = new() { Replicas = replicas } },
        TaskTemplate = new() { ContainerSpec = new() { Image = "web:1" } },
        EndpointSpec = new() { Ports = [new() { TargetPort = 80 }] },
    };
}
