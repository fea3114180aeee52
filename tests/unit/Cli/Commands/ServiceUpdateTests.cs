using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Unit.Cli.Commands;

/// <summary>What the flags of <c>service create</c>, <c>update</c> and <c>rollback</c> make of a spec.</summary>
public sealed class ServiceUpdateTests
{
    private static readonly Service Before = new()
    {
        Id = new ServiceId("svc1svc1svc1svc1svc1svc1s"),
        Version = new ObjectVersion(7),
        Spec = new ServiceSpec
        {
            Name = "web",
            Mode = new() { Replicated = new() { Replicas = 2 } },
            Labels = new Dictionary<string, string> { ["a"] = "1", ["b"] = "2" },
            TaskTemplate = new TaskSpec
            {
                ContainerSpec = new ContainerSpec
                {
                    Image = "web:1",
                    Env = ["A=1", "B=2"],
                    Mounts = [new() { Type = "tmpfs", Target = "/t" }],
                    Hosts = ["10.0.0.1 one", "10.0.0.2 two"],
                    Groups = ["adm", "www"],
                    Sysctls = new Dictionary<string, string> { ["net.a"] = "1" },
                    Ulimits = [new() { Name = "nofile", Soft = 1, Hard = 1 }, new() { Name = "nproc", Soft = 1, Hard = 1 }],
                    CapabilityAdd = ["CAP_NET_ADMIN"],
                    CapabilityDrop = ["CAP_CHOWN"],
                    DnsConfig = new() { Nameservers = ["1.1.1.1"], Search = ["lan"], Options = ["debug"] },
                    Healthcheck = new() { Test = ["CMD-SHELL", "x"], Interval = TimeSpan.FromSeconds(9) },
                },
                Networks = [new() { Target = "net1net1net1net1net1net1n" }],
                Placement = new() { Constraints = ["node.role==manager"], Preferences = [new() { Spread = new() { SpreadDescriptor = "node.labels.zone" } }] },
            },
            EndpointSpec = new() { Ports = [new() { TargetPort = 80, PublishedPort = 8080 }, new() { TargetPort = 53, PublishedPort = 53, Protocol = "udp" }] },
            UpdateConfig = new() { Parallelism = 3, Order = "start-first" },
            Orch = new() { DependsOn = [new() { Service = "db" }] },
        },
    };

    [Fact]
    public async Task Everything_that_is_removed_is_gone()
    {
        var spec = await UpdateAsync(
            "--env-rm", "A", "--label-rm", "a", "--mount-rm", "/t", "--host-rm", "one:10.0.0.1", "--host-rm", "two", "--group-rm", "adm", "--sysctl-rm", "net.a",
            "--ulimit-rm", "nproc", "--dns-rm", "1.1.1.1", "--dns-search-rm", "lan", "--dns-option-rm", "debug", "--network-rm", "back",
            "--constraint-rm", "node.role==manager", "--placement-pref-rm", "spread=node.labels.zone", "--publish-rm", "80");
        var container = spec.TaskTemplate.ContainerSpec!;
        Assert.Equal(["B=2"], container.Env);
        Assert.Equal(["b"], spec.Labels.Keys);
        Assert.Empty(container.Mounts);
        Assert.Empty(container.Hosts);
        Assert.Equal(["www"], container.Groups);
        Assert.Empty(container.Sysctls);
        Assert.Equal("nofile", Assert.Single(container.Ulimits).Name);
        Assert.Equal((0, 0, 0), (container.DnsConfig!.Nameservers.Count, container.DnsConfig.Search.Count, container.DnsConfig.Options.Count));
        Assert.Empty(spec.TaskTemplate.Networks);
        Assert.Empty(spec.TaskTemplate.Placement!.Constraints);
        Assert.Empty(spec.TaskTemplate.Placement.Preferences);
        Assert.Equal(53, Assert.Single(spec.EndpointSpec!.Ports).TargetPort);
    }

    [Fact]
    public async Task What_is_added_takes_the_place_of_what_has_its_key()
    {
        var spec = await UpdateAsync(
            "--env-add", "A=9", "--mount-add", "type=tmpfs,target=/t,tmpfs-size=1m", "--ulimit-add", "nofile=5:6", "--dns-add", "1.1.1.1", "--group-add", "adm",
            "--dns-option-add", "ndots:1", "--constraint-add", "node.role==manager", "--publish-add", "8081:80");
        var container = spec.TaskTemplate.ContainerSpec!;
        Assert.Equal(["B=2", "A=9"], container.Env);
        Assert.Equal(1 << 20, Assert.Single(container.Mounts).TmpfsOptions!.SizeBytes);
        Assert.Equal((5, 6), container.Ulimits.Where(u => u.Name == "nofile").Select(u => (u.Soft, u.Hard)).Single());
        Assert.Equal(["1.1.1.1"], container.DnsConfig!.Nameservers);
        Assert.Equal(["debug", "ndots:1"], container.DnsConfig.Options);
        Assert.Equal(["adm", "www"], container.Groups);
        Assert.Equal(["node.role==manager"], spec.TaskTemplate.Placement!.Constraints);
        Assert.Equal(8081, spec.EndpointSpec!.Ports.Single(p => p.TargetPort == 80).PublishedPort);
    }

    [Fact]
    public async Task A_dropped_capability_that_is_added_is_only_taken_back_and_the_other_way_round()
    {
        var spec = await UpdateAsync("--cap-add", "chown", "--cap-drop", "NET_ADMIN", "--cap-add", "SYS_TIME");
        Assert.Equal(["CAP_SYS_TIME"], spec.TaskTemplate.ContainerSpec!.CapabilityAdd);
        Assert.Empty(spec.TaskTemplate.ContainerSpec.CapabilityDrop);
    }

    [Fact]
    public async Task Health_update_and_rollback_flags_change_what_they_name()
    {
        var spec = await UpdateAsync(
            "--health-cmd", "curl x", "--health-retries", "5", "--health-start-interval", "1s", "--health-start-period", "2s", "--health-timeout", "3s",
            "--update-delay", "1s", "--update-failure-action", "rollback", "--update-max-failure-ratio", "0.3", "--update-monitor", "7s",
            "--rollback-parallelism", "0", "--rollback-order", "start-first", "--rollback-failure-action", "continue", "--rollback-delay", "2s", "--rollback-monitor", "8s",
            "--rollback-max-failure-ratio", ".5");
        var health = spec.TaskTemplate.ContainerSpec!.Healthcheck!;
        Assert.Equal(["CMD-SHELL", "curl x"], health.Test);
        Assert.Equal((9.0, 3.0, 2.0, 1.0, 5), (health.Interval.TotalSeconds, health.Timeout.TotalSeconds, health.StartPeriod.TotalSeconds, health.StartInterval.TotalSeconds, health.Retries));
        Assert.Equal(
            new UpdateConfig { Parallelism = 3, Order = "start-first", Delay = TimeSpan.FromSeconds(1), FailureAction = "rollback", MaxFailureRatio = 0.3, Monitor = TimeSpan.FromSeconds(7) },
            spec.UpdateConfig);
        Assert.Equal(
            new UpdateConfig { Parallelism = 0, Order = "start-first", Delay = TimeSpan.FromSeconds(2), FailureAction = "continue", MaxFailureRatio = 0.5, Monitor = TimeSpan.FromSeconds(8) },
            spec.RollbackConfig);
        Assert.Equal("db", spec.Orch!.DependsOn.Single().Service);
    }

    [Fact]
    public async Task No_healthcheck_switches_it_off_and_goes_with_no_other()
    {
        Assert.Equal(["NONE"], (await UpdateAsync("--no-healthcheck")).TaskTemplate.ContainerSpec!.Healthcheck!.Test);
        await using var engine = await EngineAsync();
        var ran = await engine.RunAsync("service", "update", "--detach", "--no-healthcheck", "--health-cmd", "x", "web");
        Assert.Equal((1, "--no-healthcheck conflicts with --health-* options\n"), (ran.Code, ran.Error));
    }

    [Theory]
    [InlineData("--update-max-failure-ratio", "2", "invalid value '2' for --update-max-failure-ratio: it must be a number from 0 to 1")]
    [InlineData("--rollback-failure-action", "rollback", "invalid value 'rollback' for --rollback-failure-action: known are pause, continue")]
    [InlineData("--health-interval", "soon", "--health-interval: 'soon' is not a duration: write it as in 10s, 1m30s or 500ms")]
    [InlineData("--publish-rm", "web", "invalid port 'web' for --publish-rm: write the target port, as in 80 or 80/udp")]
    public async Task A_value_that_makes_no_sense_is_refused_by_its_flags_name(string flag, string value, string sentence)
    {
        await using var engine = await EngineAsync();
        var ran = await engine.RunAsync("service", "update", "--detach", flag, value, "web");
        Assert.Equal((1, sentence + "\n"), (ran.Code, ran.Error));
        Assert.DoesNotContain(engine.Calls, c => c.Call.StartsWith("POST", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("service", "rollback", "--detach", "web")]
    [InlineData("service", "update", "--rollback", "--detach", "web")]
    public async Task A_rollback_asks_for_the_previous_spec(params string[] args)
    {
        await using var engine = await EngineAsync();
        Assert.Equal((0, "web\n"), (await engine.RunAsync(args)) is var ran ? (ran.Code, ran.Out) : default);
        Assert.Contains(engine.Calls, c => c.Call == $"POST /services/{Before.Id.Value}/update?version=7&rollback=previous");
    }

    [Fact]
    public async Task A_rollback_goes_with_no_other_change()
    {
        await using var engine = await EngineAsync();
        var ran = await engine.RunAsync("service", "update", "--rollback", "--image", "x", "web");
        Assert.Equal((1, "other flags may not be combined with --rollback\n"), (ran.Code, ran.Error));
    }

    private static async Task<FakeEngine> EngineAsync() => (await FakeEngine.StartAsync())
        .On("GET /services/web", System.Text.Encoding.UTF8.GetString(ModelJson.Write(Before)))
        .On("GET /services", "[]").On("GET /tasks", "[]").On("GET /networks/back", """{"Name":"back","Id":"net1net1net1net1net1net1n"}""")
        .On($"POST /services/{Before.Id.Value}/update", "{}");

    private static async Task<ServiceSpec> UpdateAsync(params string[] flags)
    {
        await using var engine = await EngineAsync();
        var ran = await engine.RunAsync(["service", "update", "--detach", .. flags, "web"]);
        Assert.Equal((0, ""), (ran.Code, ran.Error));
        return ModelJson.Read<ServiceSpec>(System.Text.Encoding.UTF8.GetBytes(engine.Calls.Single(c => c.Call.StartsWith("POST", StringComparison.Ordinal)).Body));
    }
}
