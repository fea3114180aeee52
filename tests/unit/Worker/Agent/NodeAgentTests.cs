using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Shared.Hosting;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Tests.Unit.Worker.Containers;
using Orchestrator.Worker.Agent;

namespace Orchestrator.Tests.Unit.Worker.Agent;

public sealed class NodeAgentTests
{
    private static readonly NodeId Me = new("node1");

    [Fact]
    public async Task Thirty_tasks_run_and_are_reported_in_order()
    {
        await using var node = new TestNode();
        node.Manager.Send(complete: true, [.. Enumerable.Range(1, 30).Select(i => TestNode.Assign(i))]);
        await FakeHost.UntilAsync(() => node.Manager.States.Count(s => s.Value == TaskState.Running) == 30, "all run");
        Assert.All(node.Manager.History, history => Assert.Equal(history.Value.Order(), history.Value));
        Assert.Equal(30, node.Host.Runtime.Requests.Count);
    }

    [Fact]
    public async Task A_task_that_ends_is_reported_with_its_reason()
    {
        await using var node = new TestNode();
        node.Manager.Send(complete: true, [TestNode.Assign(1), TestNode.Assign(2)]);
        await FakeHost.UntilAsync(() => node.Manager.States.Count(s => s.Value == TaskState.Running) == 2, "both run");
        node.Host.Runtime.Exit(node.ContainerOf(1), 137, oom: true);
        node.Host.Runtime.Exit(node.ContainerOf(2), 0);
        await FakeHost.UntilAsync(() => node.Manager.States.Values.All(s => s.IsTerminal()), "both ended");
        Assert.Equal("task: non-zero exit (137): out of memory, the limit was reached", node.Manager.Last[TestNode.Id(1)].Err);
        Assert.Equal(TaskState.Complete, node.Manager.States[TestNode.Id(2)]);
    }

    [Fact]
    public async Task A_missing_image_rejects_the_task_with_what_to_do()
    {
        await using var node = new TestNode();
        node.Manager.Send(complete: true, [TestNode.Assign(1, image: "missing:1")]);
        await FakeHost.UntilAsync(() => node.Manager.States.GetValueOrDefault(TestNode.Id(1)) == TaskState.Rejected, "it is rejected");
        Assert.StartsWith("No such image: missing:1 (load or build it on this node", node.Manager.Last[TestNode.Id(1)].Err, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Endpoints_are_applied_before_a_task_is_stopped()
    {
        await using var node = new TestNode();
        node.Manager.Send(complete: true, [TestNode.Assign(1)], TestNode.Table(1, "10.0.0.11"));
        await FakeHost.UntilAsync(() => node.Manager.States.GetValueOrDefault(TestNode.Id(1)) == TaskState.Running, "it runs");
        var tablesAtStop = -1;
        node.Host.Runtime.OnSignal = () => tablesAtStop = node.Host.Networks.Tables.Count;
        node.Manager.Send(complete: false, [TestNode.Assign(1, TaskState.Shutdown)], TestNode.Table(2));
        await FakeHost.UntilAsync(() => node.Manager.States[TestNode.Id(1)] == TaskState.Shutdown, "it is shut down");
        Assert.Equal(2, tablesAtStop);
        Assert.Empty(node.Host.Networks.Tables.Last().Ports.Single().Backends);
    }

    [Fact]
    public async Task A_removed_task_leaves_no_container_and_its_network_goes_with_the_last()
    {
        await using var node = new TestNode();
        var network = new Orchestrator.Shared.Model.Network { Name = "net", Id = new NetworkId("n000000000000000000000001") };
        node.Manager.Send(complete: true, [TestNode.Assign(1, network: network)], networks: [network]);
        await FakeHost.UntilAsync(() => node.Manager.States.GetValueOrDefault(TestNode.Id(1)) == TaskState.Running, "it runs");
        Assert.Equal(network.Id.Value, node.Host.Networks.Attached.Values.Single().Endpoints.Single().NetworkId);
        node.Manager.Send(complete: false, [], removed: [TestNode.Id(1)], networks: []);
        await FakeHost.UntilAsync(() => node.Host.Containers.Snapshots().Count == 0, "its container is gone");
        await FakeHost.UntilAsync(() => !node.Host.Networks.Networks.ContainsKey(network.Id.Value), "its network is gone");
    }

    [Fact]
    public async Task A_broken_session_is_opened_anew_and_what_runs_runs_on()
    {
        await using var node = new TestNode();
        node.Manager.Send(complete: true, [TestNode.Assign(1)]);
        await FakeHost.UntilAsync(() => node.Manager.States.GetValueOrDefault(TestNode.Id(1)) == TaskState.Running, "it runs");
        var container = node.ContainerOf(1);
        node.Manager.Break();
        node.Host.Runtime.Exit(container, 9);
        node.Manager.Send(complete: true, [TestNode.Assign(1), TestNode.Assign(2)]);
        await FakeHost.UntilAsync(() => node.Manager.States.GetValueOrDefault(TestNode.Id(2)) == TaskState.Running, "the second runs");
        await FakeHost.UntilAsync(() => node.Manager.States[TestNode.Id(1)] == TaskState.Failed, "the exit is told");
        Assert.True(node.Manager.Sessions >= 2);
    }

    [Fact]
    public async Task Reports_are_repeated_until_they_are_acknowledged()
    {
        await using var node = new TestNode();
        node.Manager.FailReports = 3;
        node.Manager.Send(complete: true, [TestNode.Assign(1)]);
        await FakeHost.UntilAsync(() => node.Manager.States.GetValueOrDefault(TestNode.Id(1)) == TaskState.Running, "it is told in the end");
        Assert.Equal(0, node.Manager.FailReports);
    }

    [Fact]
    public async Task A_task_whose_container_is_gone_already_is_still_reported_as_shut_down()
    {
        await using var node = new TestNode();
        node.Manager.Send(complete: true, [TestNode.Assign(1)]);
        await FakeHost.UntilAsync(() => node.Manager.States.GetValueOrDefault(TestNode.Id(1)) == TaskState.Running, "it runs");
        node.Manager.FailReports = int.MaxValue;
        node.Manager.Send(complete: false, [TestNode.Assign(1, TaskState.Remove)]);
        await FakeHost.UntilAsync(() => node.Host.Containers.Snapshots().Count == 0, "its container is gone");
        node.Manager.FailReports = 0;
        await FakeHost.UntilAsync(() => node.Manager.States[TestNode.Id(1)] == TaskState.Shutdown, "the manager learns that it may forget the task");
    }

    [Fact]
    public async Task A_new_daemon_goes_on_with_the_same_containers_and_tells_of_exits_meanwhile()
    {
        var node = new TestNode();
        node.Manager.Send(complete: true, [TestNode.Assign(1), TestNode.Assign(2)]);
        await FakeHost.UntilAsync(() => node.Manager.States.Count(s => s.Value == TaskState.Running) == 2, "both run");
        var stays = node.ContainerOf(1);
        var ends = node.ContainerOf(2);
        await node.StopDaemonAsync();
        node.Host.Runtime.Exit(ends, 5);

        await using var again = new TestNode(node.Host);
        again.Manager.Send(complete: true, [TestNode.Assign(1), TestNode.Assign(2)]);
        await FakeHost.UntilAsync(() => again.Manager.States.GetValueOrDefault(TestNode.Id(2)) == TaskState.Failed, "the exit is told");
        Assert.Equal("task: non-zero exit (5)", again.Manager.Last[TestNode.Id(2)].Err);
        Assert.Equal(stays, again.ContainerOf(1));
        Assert.True(again.Host.Containers.IsRunning(stays));
    }

    [Fact]
    public async Task A_checked_task_stays_starting_until_it_is_healthy_and_says_what_the_probe_printed()
    {
        await using var node = new TestNode();
        var code = 1;
        node.Host.Runtime.OnExec = (_, launch) => Ended(launch, Volatile.Read(ref code), "not yet\n");
        node.Manager.Send(complete: true, [TestNode.Checked(1, retries: 1_000_000)]);
        await FakeHost.UntilAsync(() => node.Manager.Last.GetValueOrDefault(TestNode.Id(1))?.Err == "health check: not yet", "it complains");
        Assert.Equal(TaskState.Starting, node.Manager.States[TestNode.Id(1)]);
        Assert.NotNull(node.Manager.Last[TestNode.Id(1)].ContainerStatus);
        Volatile.Write(ref code, 0);
        await FakeHost.UntilAsync(() => node.Manager.States[TestNode.Id(1)] == TaskState.Running, "it runs");
        Assert.Null(node.Manager.Last[TestNode.Id(1)].Err);
    }

    [Fact]
    public async Task A_task_that_never_becomes_healthy_fails_with_what_the_probe_printed()
    {
        await using var node = new TestNode();
        node.Host.Runtime.OnExec = (_, launch) => Ended(launch, 1, "connection refused\n");
        node.Manager.Send(complete: true, [TestNode.Checked(1, retries: 2)]);
        await FakeHost.UntilAsync(() => node.Manager.States.GetValueOrDefault(TestNode.Id(1)) == TaskState.Failed, "it fails");
        Assert.Equal("unhealthy container: connection refused", node.Manager.Last[TestNode.Id(1)].Err);
        Assert.False(node.Host.Containers.IsRunning(node.ContainerOf(1)));
    }

    [Fact]
    public async Task An_unhealthy_task_is_stopped_when_no_port_leads_to_it_any_more()
    {
        await using var node = new TestNode();
        var code = 0;
        node.Host.Runtime.OnExec = (_, launch) => Ended(launch, Volatile.Read(ref code), "broken\n");
        node.Manager.Send(complete: true, [TestNode.Checked(1, retries: 1)], TestNode.Table(1, "10.0.0.11"));
        await FakeHost.UntilAsync(() => node.Manager.States.GetValueOrDefault(TestNode.Id(1)) == TaskState.Running, "it runs");
        var tablesAtStop = -1;
        node.Host.Runtime.OnSignal = () => tablesAtStop = node.Host.Networks.Tables.Count;
        Volatile.Write(ref code, 1);
        await FakeHost.UntilAsync(() => node.Manager.Last[TestNode.Id(1)].Err == "unhealthy container: broken", "it says so");
        node.Manager.Send(complete: false, [], TestNode.Table(2));
        await FakeHost.UntilAsync(() => node.Manager.States[TestNode.Id(1)] == TaskState.Failed, "it fails");
        Assert.Equal(2, tablesAtStop);
    }

    [Fact]
    public async Task A_task_that_is_not_healthy_yet_can_be_stopped()
    {
        await using var node = new TestNode();
        node.Host.Runtime.OnExec = (_, launch) => Ended(launch, 1, "no\n");
        node.Manager.Send(complete: true, [TestNode.Checked(1, retries: 1_000_000)]);
        await FakeHost.UntilAsync(() => node.Manager.States.GetValueOrDefault(TestNode.Id(1)) == TaskState.Starting, "it starts");
        node.Manager.Send(complete: false, [TestNode.Checked(1, retries: 1_000_000) is var checkedTask ? checkedTask with { Task = checkedTask.Task with { DesiredState = TaskState.Shutdown } } : null!]);
        await FakeHost.UntilAsync(() => node.Manager.States[TestNode.Id(1)] == TaskState.Shutdown, "it is shut down");
    }

    private static FakeExec Ended(Orchestrator.Worker.Runtime.ExecLaunch launch, int code, string said)
    {
        var exec = new FakeExec(launch);
        exec.Program.Output.Writer.AsStream().Write(System.Text.Encoding.UTF8.GetBytes(said));
        exec.End(code);
        return exec;
    }

    [Fact]
    public async Task A_task_waits_for_its_secrets_after_a_daemons_restart_and_no_file_ever_holds_them()
    {
        var assignment = TestNode.Assign(1, TaskState.Ready);
        assignment = assignment with
        {
            Task = assignment.Task with
            {
                Spec = new TaskSpec { ContainerSpec = new ContainerSpec { Image = "app:1", Secrets = [new() { SecretId = "x", SecretName = "token", File = new() { Name = "token" } }] } },
            },
        };
        var node = new TestNode();
        node.Manager.Send(new Assignments { SessionId = "s", Sequence = 1, Complete = true, Tasks = [assignment], Secrets = [new() { Id = "x", Name = "token", Data = "hunter2"u8.ToArray() }] });
        await FakeHost.UntilAsync(() => node.Manager.States.GetValueOrDefault(TestNode.Id(1)) == TaskState.Ready, "it is ready");
        Assert.Equal(["/run/secrets/token"], node.Host.Containers.Snapshots().Single().Container.MemoryFiles!);
        await node.StopDaemonAsync();
        Assert.All(
            Directory.EnumerateFiles(node.Host.Root, "*", SearchOption.AllDirectories).Select(File.ReadAllText),
            text => Assert.False(text.Contains("hunter2", StringComparison.Ordinal) || text.Contains("aHVudGVyMg", StringComparison.Ordinal)));

        await using var again = new TestNode(node.Host);
        await FakeHost.UntilAsync(() => again.Host.Containers.Snapshots().Count == 1, "the container is taken over");
        var refused = await Assert.ThrowsAsync<Orchestrator.Worker.Containers.ContainerStartException>(() => again.Host.Containers.StartAsync(again.ContainerOf(1), default));
        Assert.Contains("its secrets and configs (/run/secrets/token) are not here", refused.Message, StringComparison.Ordinal);
        again.Manager.Send(new Assignments { SessionId = "s", Sequence = 1, Complete = true, Tasks = [assignment with { Task = assignment.Task with { DesiredState = TaskState.Running } }] });
        await FakeHost.UntilAsync(() => again.Manager.States.GetValueOrDefault(TestNode.Id(1)) == TaskState.Failed, "a secret that is gone fails it");
        Assert.StartsWith("secret token not found", again.Manager.Last[TestNode.Id(1)].Err, StringComparison.Ordinal);
    }

    internal sealed class TestNode : IAsyncDisposable
    {
        private readonly CancellationTokenSource ends = new();
        private readonly Task running;

        internal TestNode(FakeHost? before = null)
        {
            Host = new FakeHost(before?.Root, before?.Runtime);
            running = Task.Run(RunAsync);
        }

        internal FakeHost Host { get; }
        internal FakeManager Manager { get; } = new();

        internal string ContainerOf(int task) => Host.Containers.TryFind($"web.{task}.{Id(task)}")!.Id;

        internal static TaskId Id(int number) => new($"task{number}");

        internal static TaskAssignment Assign(int number, TaskState desired = TaskState.Running, string image = "app:1", Orchestrator.Shared.Model.Network? network = null) => new()
        {
            Task = new ServiceTask
            {
                Id = Id(number),
                NodeId = Me,
                ServiceId = new ServiceId("svc"),
                ServiceName = "web",
                Slot = number,
                DesiredState = desired,
                Status = new ServiceTaskStatus { State = TaskState.Assigned },
                Spec = new TaskSpec { ContainerSpec = new ContainerSpec { Image = image } },
                NetworksAttachments = [new NetworkAttachment { Network = network ?? new Orchestrator.Shared.Model.Network { Name = "bridge", Id = new NetworkId("b") }, Addresses = [$"10.0.0.{10 + number}/24"] }],
            },
        };

        internal static TaskAssignment Checked(int number, int retries)
        {
            var assignment = Assign(number);
            var check = new HealthConfig { Test = ["CMD", "probe"], Interval = TimeSpan.FromMilliseconds(5), Retries = retries };
            return assignment with
            {
                Task = assignment.Task with { Spec = new TaskSpec { ContainerSpec = assignment.Task.Spec.ContainerSpec! with { Healthcheck = check } } },
            };
        }

        internal static EndpointTable Table(ulong version, params string[] backends) => new()
        {
            Version = version,
            Ports = [new PublishedEndpoint { ServiceId = new ServiceId("svc"), ServiceName = "web", Protocol = "tcp", PublishedPort = 80, TargetPort = 80, Backends = backends }],
        };

        internal async Task StopDaemonAsync()
        {
            await ends.CancelAsync();
            await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await Host.StopDaemonAsync();
        }

        public async ValueTask DisposeAsync()
        {
            await StopDaemonAsync();
            await Host.DisposeAsync();
            ends.Dispose();
        }

        private async Task RunAsync()
        {
            await Host.StartAsync();
            var agent = new NodeAgent(
                Manager, new ContainerTaskExecutor(Host.Containers, Host.Networks, "box", new EndpointEpoch(Host.Root), NullLogger.Instance),
                new AgentOptions
                {
                    Node = Me,
                    Description = new NodeDescription(),
                    RecordsRoot = Path.Combine(Host.Root, "agent"),
                    Jitter = () => 0.5,
                    Drain = TimeSpan.FromMilliseconds(20),
                    Retry = new Backoff { First = TimeSpan.FromMilliseconds(5), Most = TimeSpan.FromMilliseconds(50) },
                },
                TimeProvider.System, NullLogger<NodeAgent>.Instance);
            await agent.RunAsync(ends.Token);
        }
    }

    internal sealed class FakeManager : IDispatcher
    {
        private readonly Lock guard = new();
        private Channel<Assignments> stream = Channel.CreateUnbounded<Assignments>();
        private ulong sequence;
        private int sessions;

        internal ConcurrentDictionary<TaskId, ServiceTaskStatus> Last { get; } = new();
        internal ConcurrentDictionary<TaskId, ConcurrentQueue<TaskState>> History { get; } = new();
        internal IReadOnlyDictionary<TaskId, TaskState> States => Last.ToDictionary(l => l.Key, l => l.Value.State);
        internal int FailReports { get; set; }
        internal int Sessions => sessions;

        internal void Send(
            bool complete, IReadOnlyList<TaskAssignment> tasks, EndpointTable? endpoints = null, IReadOnlyList<TaskId>? removed = null,
            IReadOnlyList<Orchestrator.Shared.Model.Network>? networks = null)
        {
            lock (guard)
            {
                stream.Writer.TryWrite(new Assignments
                {
                    SessionId = "s",
                    Sequence = ++sequence,
                    Complete = complete,
                    Tasks = tasks,
                    Endpoints = endpoints,
                    RemovedTasks = removed ?? [],
                    Networks = networks,
                });
            }
        }

        internal void Send(Assignments message)
        {
            lock (guard)
                stream.Writer.TryWrite(message);
        }

        internal void Break()
        {
            lock (guard)
            {
                stream.Writer.TryComplete(new IOException("the connection broke"));
                stream = Channel.CreateUnbounded<Assignments>();
            }
        }

        public async IAsyncEnumerable<Assignments> SessionAsync(SessionRequest request, [EnumeratorCancellation] CancellationToken stop)
        {
            Channel<Assignments> mine;
            lock (guard)
            {
                mine = stream;
                sessions++;
            }

            await foreach (var assignments in mine.Reader.ReadAllAsync(stop))
                yield return assignments;
        }

        public Task<HeartbeatReply> HeartbeatAsync(HeartbeatRequest request, CancellationToken stop) =>
            Task.FromResult(new HeartbeatReply { Period = TimeSpan.FromMilliseconds(100) });

        public Task<TaskStatusReply> ReportAsync(TaskStatusReport report, CancellationToken stop)
        {
            if (FailReports > 0)
            {
                FailReports--;
                throw new IOException("no leader");
            }

            foreach (var update in report.Updates)
            {
                Last[update.TaskId] = update.Status;
                History.GetOrAdd(update.TaskId, _ => []).Enqueue(update.Status.State);
            }

            return Task.FromResult(new TaskStatusReply());
        }
    }
}
