using Orchestrator.Shared.Model;
using Orchestrator.Worker.Containers;
using Orchestrator.Worker.Containers.Execs;
using Orchestrator.Worker.Runtime;

namespace Orchestrator.Tests.Unit.Worker.Containers.Execs;

public sealed class ExecHostTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    private static async Task<(FakeHost Host, string Id, List<FakeExec> Execs, List<ExecLaunch> Launches)> RunningAsync(ContainerCreateRequest? request = null)
    {
        var host = await new FakeHost().StartAsync();
        var (execs, launches) = (new List<FakeExec>(), new List<ExecLaunch>());
        host.Runtime.OnExec = (_, launch) =>
        {
            launches.Add(launch);
            execs.Add(new FakeExec(launch));
            return execs[^1];
        };
        var made = await host.Containers.CreateAsync(request ?? new ContainerCreateRequest { Image = "app:1" }, "web", None);
        await host.Containers.StartAsync("web", None);
        return (host, made.Id, execs, launches);
    }

    private static ExecCreateRequest Request(params string[] words) => new() { Cmd = words, AttachStdout = true };

    [Fact]
    public async Task An_exec_is_made_started_once_ends_and_keeps_its_exit_code()
    {
        var (host, id, execs, _) = await RunningAsync();
        await using var _ = host;
        var made = host.Containers.CreateExec("web", Request("sh", "-c", "exit 3"));
        Assert.Equal([made], host.Containers.Inspect("web").ExecIds);
        Assert.False(host.Containers.InspectExec(made).Running);
        Assert.Null(host.Containers.InspectExec(made).ExitCode);

        var exec = host.Containers.BeginExec(made);
        Assert.Throws<ContainerConflictException>(() => host.Containers.BeginExec(made));
        await host.Containers.StartExecAsync(exec, [], detached: false, None);
        Assert.True(host.Containers.InspectExec(made) is { Running: true, Pid: 4000, ProcessConfig: { Entrypoint: "sh", Arguments: ["-c", "exit 3"] } });
        execs[0].End(3);
        await exec.Done;
        Assert.True(host.Containers.InspectExec(made) is { Running: false, ExitCode: 3, Pid: 0, CanRemove: true });
        Assert.Null(host.Containers.Inspect("web").ExecIds);
        Assert.False(execs[0].Disposed); // whoever reads its output has not said that he is done
        exec.Release();
        await FakeHost.UntilAsync(() => execs[0].Disposed, "the session is closed");

        var events = host.Events.Past(DateTimeOffset.UnixEpoch).Where(e => e.Action.StartsWith("exec", StringComparison.Ordinal)).ToList();
        Assert.Equal(["exec_create: sh -c exit 3", "exec_start: sh -c exit 3", "exec_die"], events.Select(e => e.Action));
        Assert.All(events, e => Assert.Equal((id, made), (e.Actor.Id, e.Actor.Attributes["execID"])));
        Assert.Equal("3", events[^1].Actor.Attributes["exitCode"]);
    }

    [Fact]
    public async Task A_program_that_cannot_be_started_ends_its_exec_with_the_code_that_says_why()
    {
        var (host, _, _, _) = await RunningAsync();
        await using var _ = host;
        host.Runtime.OnExec = (_, _) => throw new RuntimeException("no such program") { ExitCode = 127 };
        var exec = host.Containers.BeginExec(host.Containers.CreateExec("web", Request("nothing")));
        var failure = await Assert.ThrowsAsync<ContainerStartException>(() => host.Containers.StartExecAsync(exec, [], detached: false, None));
        Assert.Equal(127, failure.ExitCode);
        Assert.Equal(127, host.Containers.InspectExec(exec.Id).ExitCode);

        var unknown = host.Containers.BeginExec(host.Containers.CreateExec("web", Request("id") with { User = "nobodyknows" }));
        failure = await Assert.ThrowsAsync<ContainerStartException>(() => host.Containers.StartExecAsync(unknown, [], detached: false, None));
        Assert.Contains("unable to find user nobodyknows", failure.Message, StringComparison.Ordinal);
        Assert.Equal(126, host.Containers.InspectExec(unknown.Id).ExitCode);
    }

    [Fact]
    public async Task What_an_exec_does_not_say_is_the_containers_own()
    {
        var (host, id, _, launches) = await RunningAsync(new ContainerCreateRequest { Image = "app:1", Env = ["A=1", "B=1"], WorkingDir = "/srv", HostConfig = new HostConfig { CapDrop = ["CHOWN"] } });
        await using var _ = host;
        await host.Containers.StartExecAsync(host.Containers.BeginExec(host.Containers.CreateExec("web", Request("env"))), [], detached: true, None);
        await host.Containers.StartExecAsync(
            host.Containers.BeginExec(host.Containers.CreateExec("web", Request("env") with { Env = ["B=2", "A"], WorkingDir = "/tmp", Privileged = true, Tty = true, User = "7:8" })),
            [40, 120], detached: false, None);
        var (plain, other) = (launches[0], launches[1]);
        Assert.Equal("/srv", plain.Process.Cwd);
        Assert.Superset(new HashSet<string> { "A=1", "B=1", $"HOSTNAME={id[..12]}" }, plain.Process.Env.ToHashSet());
        Assert.DoesNotContain("CAP_CHOWN", plain.Process.Capabilities!.Bounding);
        Assert.False(plain.Stdout);
        Assert.Equal(("/tmp", true, 7u, 8u), (other.Process.Cwd, other.Process.Terminal, other.Process.User.Uid, other.Process.User.Gid));
        Assert.Superset(new HashSet<string> { "B=2", "TERM=xterm" }, other.Process.Env.ToHashSet());
        Assert.DoesNotContain(other.Process.Env, e => e.StartsWith("A=", StringComparison.Ordinal));
        Assert.Contains("CAP_SYS_ADMIN", other.Process.Capabilities!.Bounding);
        Assert.Equal(new ConsoleSize(40, 120), other.Console);
    }

    [Fact]
    public async Task Requests_that_cannot_work_are_refused_with_every_problem()
    {
        var (host, id, _, _) = await RunningAsync();
        await using var _ = host;
        var refused = Assert.Throws<InvalidContainerException>(() => host.Containers.CreateExec("web", new ExecCreateRequest { WorkingDir = "tmp", Env = ["=x"], ConsoleSize = [1] }));
        Assert.Equal(["Cmd", "WorkingDir", "Env", "ConsoleSize"], refused.Problems.Select(p => p.Where));
        Assert.Throws<ContainerNotFoundException>(() => host.Containers.CreateExec("nope", Request("ls")));
        Assert.Throws<ExecNotFoundException>(() => host.Containers.InspectExec("nope"));
        var late = host.Containers.CreateExec("web", Request("ls"));
        host.Runtime.Exit(id, 0);
        await host.Containers.WaitAsync("web", WaitCondition.NotRunning, None);
        Assert.Throws<ContainerConflictException>(() => host.Containers.CreateExec("web", Request("ls")));
        Assert.Throws<ContainerConflictException>(() => host.Containers.BeginExec(late));
        await host.Containers.RemoveAsync("web", force: false, volumes: false, None);
        Assert.Throws<ExecNotFoundException>(() => host.Containers.InspectExec(late));
    }

    [Fact]
    public async Task Output_that_nobody_listens_to_is_read_and_dropped()
    {
        var (host, _, execs, _) = await RunningAsync();
        await using var _ = host;
        var exec = host.Containers.BeginExec(host.Containers.CreateExec("web", Request("yes")));
        await host.Containers.StartExecAsync(exec, [], detached: false, None);
        exec.Release();
        // More than any pipe holds: it is taken only when somebody reads.
        await execs[0].Program.Output.Writer.WriteAsync(new byte[1 << 20], None).AsTask().WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System, None);
        execs[0].End(0);
        await exec.Done;
    }

    [Fact]
    public void An_ended_exec_is_forgotten_some_minutes_later_and_a_running_one_is_not()
    {
        var clock = new StepClock();
        using var registry = new ExecRegistry(clock);
        var (ended, open) = (new Exec("ended", "c", Request("a")), new Exec("open", "c", Request("b")));
        registry.Add(ended);
        registry.Add(open);
        ended.Ended(0, clock.GetUtcNow());
        clock.Advance(ExecRegistry.Memory - TimeSpan.FromSeconds(1));
        Assert.Same(ended, registry.Find("ended"));
        clock.Advance(ExecRegistry.Memory + TimeSpan.FromSeconds(2));
        Assert.Throws<ExecNotFoundException>(() => registry.Find("ended"));
        Assert.Same(open, registry.Find("open"));
    }

    /// <summary>A clock with one timer, which it rings when its time has come.</summary>
    private sealed class StepClock : TimeProvider
    {
        private DateTimeOffset now = DateTimeOffset.UnixEpoch;
        private (Action Ring, TimeSpan Period, DateTimeOffset Due) timer;

        public override DateTimeOffset GetUtcNow() => now;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            timer = (() => callback(state), period, now + dueTime);
            return new Handle();
        }

        internal void Advance(TimeSpan span)
        {
            var until = now + span;
            while (timer.Due <= until)
            {
                now = timer.Due;
                timer.Due += timer.Period;
                timer.Ring();
            }

            now = until;
        }

        private sealed class Handle : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => true;

            public void Dispose()
            {
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
