using Orchestrator.Shared.Model;
using Orchestrator.Worker.Containers;
using Orchestrator.Worker.Images;
using Orchestrator.Worker.Runtime;

namespace Orchestrator.Tests.Unit.Worker.Containers;

public sealed class ContainerHostTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    private static ContainerCreateRequest Request(HostConfig? host = null) => new() { Image = "app:1", HostConfig = host };

    [Fact]
    public async Task A_container_runs_ends_and_leaves_nothing_but_its_record()
    {
        await using var host = await new FakeHost().StartAsync();
        var made = await host.Containers.CreateAsync(Request(), "web", None);
        Assert.Equal("created", host.Containers.Inspect("web").State.Status);
        Assert.True(await host.Containers.StartAsync("web", None));
        Assert.False(await host.Containers.StartAsync(made.Id[..6], None));
        Assert.True(host.Containers.IsRunning(made.Id));
        Assert.Contains("Up ", host.Containers.List(new ContainerQuery()).Single().Status, StringComparison.Ordinal);

        host.Runtime.Exit(made.Id, 3);
        var reply = await host.Containers.WaitAsync("web", WaitCondition.NotRunning, None);
        Assert.Equal(3, reply.StatusCode);
        await FakeHost.UntilAsync(() => host.Networks.Attached.IsEmpty, "the network is left");
        Assert.Empty(await host.Runtime.ListAsync(None));
        Assert.Empty(host.Containers.List(new ContainerQuery()));
        Assert.StartsWith("Exited (3) ", host.Containers.List(new ContainerQuery { All = true }).Single().Status, StringComparison.Ordinal);

        await host.Containers.RemoveAsync("web", force: false, volumes: false, None);
        Assert.Throws<ContainerNotFoundException>(() => host.Containers.Inspect("web"));
        Assert.Empty(host.Images.Holders);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(host.Root, "containers")));
    }

    [Fact]
    public async Task One_that_ended_has_settled_when_its_addresses_are_free()
    {
        await using var host = await new FakeHost().StartAsync();
        var made = await host.Containers.CreateAsync(Request(), "web", None);
        await host.Containers.StartAsync("web", None);
        var left = new TaskCompletionSource();
        host.Networks.Leaving = left.Task;
        host.Runtime.Exit(made.Id, 0);
        await host.Containers.WaitAsync("web", WaitCondition.NotRunning, None);
        var settled = host.Containers.SettledAsync("web", None);
        await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, None);
        Assert.False(settled.IsCompleted);
        Assert.Single(host.Networks.Attached);
        left.SetResult();
        await settled;
        Assert.Empty(host.Networks.Attached);
    }

    [Fact]
    public async Task The_runtime_gets_layers_network_and_generated_files()
    {
        await using var host = await new FakeHost().StartAsync();
        var made = await host.Containers.CreateAsync(Request(new HostConfig { ExtraHosts = ["db:10.9.9.9"] }), "web", None);
        await host.Containers.StartAsync("web", None);
        var request = host.Runtime.Requests[made.Id];
        Assert.Equal(["/layers/top", "/layers/bottom"], request.Root.LowerLayers);
        Assert.Equal("/run/netns/" + made.Id[..8], request.Spec.Linux.Namespaces.Single(n => n.Type == "network").Path);
        var hosts = await File.ReadAllTextAsync(request.Spec.Mounts.Single(m => m.Destination == "/etc/hosts").Source!, None);
        Assert.Contains("10.9.9.9\tdb\n", hosts, StringComparison.Ordinal);
        Assert.Contains($"10.0.0.2\t{made.Id[..12]}\n", hosts, StringComparison.Ordinal);
        Assert.Contains("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", request.Spec.Process.Env);
    }

    [Fact]
    public async Task A_stop_sends_the_signal_and_kills_after_the_grace()
    {
        await using var host = await new FakeHost().StartAsync();
        host.Runtime.Ignored.Add(2);
        var made = await host.Containers.CreateAsync(Request() with { StopSignal = "SIGINT" }, "web", None);
        await host.Containers.StartAsync("web", None);
        Assert.True(await host.Containers.StopAsync("web", TimeSpan.FromMilliseconds(20), null, None));
        Assert.Equal([2, 9], host.Runtime.Signals.Select(s => s.Signal));
        Assert.Equal(137, host.Containers.Inspect(made.Id).State.ExitCode);
        Assert.False(await host.Containers.StopAsync("web", null, null, None));
    }

    [Fact]
    public async Task A_kill_gets_through_while_a_stop_waits()
    {
        await using var host = await new FakeHost().StartAsync();
        host.Runtime.Ignored.Add(15);
        await host.Containers.CreateAsync(Request(), "web", None);
        await host.Containers.StartAsync("web", None);
        var stopping = host.Containers.StopAsync("web", Timeout.InfiniteTimeSpan, null, None);
        await FakeHost.UntilAsync(() => !host.Runtime.Signals.IsEmpty, "the stop signal is sent");
        await host.Containers.KillAsync("web", null, None);
        Assert.True(await stopping);
    }

    [Fact]
    public async Task A_running_container_is_removed_by_force_only()
    {
        await using var host = await new FakeHost().StartAsync();
        await host.Containers.CreateAsync(Request(), "web", None);
        await host.Containers.StartAsync("web", None);
        var refused = await Assert.ThrowsAsync<ContainerConflictException>(() => host.Containers.RemoveAsync("web", false, false, None));
        Assert.Contains("stop the container before removing or force remove", refused.Message, StringComparison.Ordinal);
        var removed = host.Containers.WaitAsync("web", WaitCondition.Removed, None);
        await host.Containers.RemoveAsync("web", true, false, None);
        Assert.Equal(137, (await removed).StatusCode);
    }

    [Fact]
    public async Task Names_are_unique_and_free_again_after_removal_or_renaming()
    {
        await using var host = await new FakeHost().StartAsync();
        await host.Containers.CreateAsync(Request(), "web", None);
        await Assert.ThrowsAsync<ContainerConflictException>(() => host.Containers.CreateAsync(Request(), "web", None));
        await host.Containers.RenameAsync("web", "old", None);
        await host.Containers.CreateAsync(Request(), "web", None);
        await Assert.ThrowsAsync<ContainerConflictException>(() => host.Containers.RenameAsync("web", "old", None));
        await host.Containers.RemoveAsync("old", false, false, None);
        await host.Containers.RenameAsync("web", "old", None);
        Assert.Equal("/old", host.Containers.Inspect("old").Name);
    }

    [Fact]
    public async Task A_failed_start_says_why_and_leaves_the_network()
    {
        await using var host = await new FakeHost().StartAsync();
        host.Runtime.Refusal = new RuntimeException("exec /bin/app: no such file or directory") { ExitCode = 127 };
        await host.Containers.CreateAsync(Request(), "web", None);
        var failure = await Assert.ThrowsAsync<ContainerStartException>(() => host.Containers.StartAsync("web", None));
        Assert.Equal(127, failure.ExitCode);
        Assert.Empty(host.Networks.Attached);
        var state = host.Containers.Inspect("web").State;
        Assert.Equal(("created", 127, failure.Message), (state.Status, state.ExitCode, state.Error));
        host.Runtime.Refusal = null;
        Assert.True(await host.Containers.StartAsync("web", None));
    }

    [Fact]
    public async Task A_container_is_restarted_by_its_policy_until_a_user_stops_it()
    {
        await using var host = await new FakeHost().StartAsync();
        var made = await host.Containers.CreateAsync(Request(new HostConfig { RestartPolicy = new ContainerRestartPolicy { Name = "always" } }), "web", None);
        await host.Containers.StartAsync("web", None);
        host.Runtime.Exit(made.Id, 1);
        await FakeHost.UntilAsync(() => host.Containers.Inspect("web") is { RestartCount: 1, State.Status: "running" }, "it runs again");
        await host.Containers.StopAsync("web", null, null, None);
        Assert.Equal("exited", host.Containers.Inspect("web").State.Status);
    }

    [Fact]
    public async Task A_container_removes_itself_when_asked_to()
    {
        await using var host = await new FakeHost().StartAsync();
        var made = await host.Containers.CreateAsync(Request(new HostConfig { AutoRemove = true }), "web", None);
        await host.Containers.StartAsync("web", None);
        var removed = host.Containers.WaitAsync("web", WaitCondition.Removed, None);
        host.Runtime.Exit(made.Id, 4);
        Assert.Equal(4, (await removed).StatusCode);
        Assert.Null(host.Containers.TryFind("web"));
    }

    [Fact]
    public async Task Every_problem_of_a_request_is_named_at_once()
    {
        await using var host = await new FakeHost().StartAsync();
        var refused = await Assert.ThrowsAsync<InvalidContainerException>(() => host.Containers.CreateAsync(
            Request(new HostConfig { Memory = 1000, NanoCpus = 99_000_000_000, Binds = ["da/ta:/x"], CapAdd = ["FLY"], PidMode = "nobody", NetworkMode = "nowhere" }),
            null, None));
        Assert.Equal(6, refused.Problems.Count);
        await Assert.ThrowsAsync<ImageException>(() => host.Containers.CreateAsync(new ContainerCreateRequest { Image = "missing:1" }, null, None));
        Assert.Empty(host.Containers.Snapshots());
    }

    [Fact]
    public async Task A_container_of_a_stock_client_is_on_the_bridge_before_it_runs_and_shows_its_address_while_it_runs()
    {
        await using var host = await new FakeHost().StartAsync();
        var request = Request(new HostConfig { NetworkMode = "default" }) with
        {
            Cmd = ["sh", "-c", "echo a b"],
            NetworkingConfig = new NetworkingConfig { EndpointsConfig = new Dictionary<string, EndpointSettings?> { ["default"] = new() } },
        };
        await host.Containers.CreateAsync(request, "web", None);
        Assert.Equal(["bridge"], host.Containers.Inspect("web").NetworkSettings.Networks.Keys);
        Assert.Equal("", host.Containers.Inspect("web").NetworkSettings.IpAddress);
        await host.Containers.StartAsync("web", None);
        var shown = host.Containers.Inspect("web").NetworkSettings;
        Assert.Equal(("10.0.0.2", shown.Networks["bridge"].Gateway, shown.Networks["bridge"].MacAddress), (shown.IpAddress, shown.Gateway, shown.MacAddress));
        Assert.EndsWith("sh -c 'echo a b'", host.Containers.List(new ContainerQuery()).Single().Command, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("status", "sleeping", "invalid filter 'status=sleeping': known are created, restarting, running, removing, paused, exited, dead")]
    [InlineData("health", "well", "invalid filter 'health=well': known are none, starting, healthy, unhealthy")]
    [InlineData("exited", "soon", "invalid filter 'exited=soon': write an exit code")]
    [InlineData("is-task", "maybe", "invalid filter 'is-task=maybe': known are true, false, 1, 0")]
    public async Task A_filter_with_a_value_that_nothing_can_have_is_refused(string filter, string value, string message)
    {
        await using var host = await new FakeHost().StartAsync();
        var query = new ContainerQuery { Filters = new Dictionary<string, IReadOnlyList<string>> { [filter] = [value] } };
        Assert.Equal(message, Assert.Throws<InvalidContainerException>(() => host.Containers.List(query)).Problems.Single().Message);
    }

    [Fact]
    public async Task A_new_daemon_takes_over_what_runs_and_learns_what_ended()
    {
        var first = await new FakeHost().StartAsync();
        var ids = new List<string>();
        foreach (var name in new[] { "stays", "ends", "lost" })
        {
            ids.Add((await first.Containers.CreateAsync(Request(), name, None)).Id);
            await first.Containers.StartAsync(name, None);
        }

        var pid = first.Containers.Inspect("stays").State.Pid;
        await first.StopDaemonAsync();
        first.Runtime.Exit(ids[1], 7);
        first.Runtime.Lose(ids[2]);
        Directory.CreateDirectory(Path.Combine(first.Root, "containers", new string('e', 64), "upper"));

        await using var second = await new FakeHost(first.Root, first.Runtime).StartAsync();
        Assert.Equal((pid, "running"), (second.Containers.Inspect("stays").State.Pid, second.Containers.Inspect("stays").State.Status));
        Assert.Equal(7, (await second.Containers.WaitAsync("ends", WaitCondition.NotRunning, None)).StatusCode);
        Assert.Equal(255, second.Containers.Inspect("lost").State.ExitCode);
        Assert.True(second.Containers.TryFind("lost")!.State.ExitUnknown);
        Assert.False(Directory.Exists(Path.Combine(first.Root, "containers", new string('e', 64))));
        await second.Containers.StopAsync("stays", null, null, None);
    }
}
