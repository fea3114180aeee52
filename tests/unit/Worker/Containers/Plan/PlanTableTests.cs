using Orchestrator.Shared.Model;
using Orchestrator.Worker.Containers;
using Orchestrator.Worker.Containers.Plan;
using Orchestrator.Worker.Network;

namespace Orchestrator.Tests.Unit.Worker.Containers.Plan;

public sealed class PlanTableTests
{
    [Theory]
    [InlineData("", "", 14, "")]
    [InlineData("NET_ADMIN", "", 15, "")]
    [InlineData("cap_net_admin", "CAP_CHOWN", 14, "")]
    [InlineData("ALL", "", 41, "")]
    [InlineData("ALL", "SYS_ADMIN", 40, "")]
    [InlineData("", "ALL", 0, "")]
    [InlineData("CHOWN|KILL", "all", 2, "")]
    [InlineData("FLY", "", 14, "invalid CapAdd: unknown capability: \"CAP_FLY\"")]
    public void Capabilities_are_added_and_dropped(string add, string drop, int count, string problem)
    {
        var problems = new List<Problem>();
        var kept = CapabilityPlan.Of(Split(add), Split(drop), problems);
        Assert.Equal(count, kept.Length);
        Assert.Equal(kept.Length, kept.Distinct().Count());
        Assert.Equal(problem, string.Join(';', problems.Select(p => p.Message)));
    }

    [Theory]
    [InlineData("/a:/b", "/a|/b|rbind,rprivate,rw", "")]
    [InlineData("/a:/b/:ro", "/a|/b|rbind,rprivate,ro", "")]
    [InlineData("/a:/b:rslave,ro", "/a|/b|rbind,rslave,ro", "")]
    [InlineData("/a:/", "", "destination can't be '/'")]
    [InlineData("/a:b", "", "mount path must be absolute")]
    [InlineData("/a:/b:fast", "", "invalid mode: fast")]
    [InlineData("data:/b:fast", "", "invalid mode: fast")]
    [InlineData("d/x:/b", "", "includes invalid characters for a local volume name")]
    [InlineData(":/b", "", "invalid volume specification: ':/b'")]
    public void Bind_strings_are_read_as_docker_reads_them(string bind, string mount, string problem)
    {
        var problems = new List<Problem>();
        var plan = MountPlan.Of(new HostConfig { Binds = [bind] }, problems);
        if (problem.Length > 0)
        {
            Assert.Contains(problem, Assert.Single(problems).Message, StringComparison.Ordinal);
            return;
        }

        Assert.Empty(problems);
        var made = Assert.Single(plan.Mounts);
        Assert.Equal(mount, $"{made.Source}|{made.Destination}|{string.Join(',', made.Options)}");
        Assert.True(Assert.Single(plan.Sources).Create);
    }

    [Fact]
    public void Mounts_lie_in_the_order_of_their_depth_and_only_once_on_a_place()
    {
        var problems = new List<Problem>();
        var plan = MountPlan.Of(new HostConfig
        {
            Mounts =
            [
                new Mount { Type = "bind", Source = "/x", Target = "/a/b/c" },
                new Mount { Type = "tmpfs", Target = "/a", TmpfsOptions = new TmpfsOptions { SizeBytes = 4096, Mode = 448 } },
                new Mount { Type = "bind", Source = "/y", Target = "/a/b/c/" },
                new Mount { Type = "volume", Source = "v", Target = "/v" },
            ],
        }, problems);
        Assert.Equal(["/a", "/a/b/c", "/a/b/c"], plan.Mounts.Select(m => m.Destination));
        Assert.Contains("mode=700", plan.Mounts[0].Options);
        Assert.Contains(problems, p => p.Message == "Duplicate mount point: /a/b/c");
        Assert.Equal("v", Assert.Single(plan.Volumes).Name);
        Assert.All(plan.Sources, s => Assert.False(s.Create));
    }

    [Theory]
    [InlineData(1L << 20, 0, 0, "Minimum memory limit allowed is 6MB")]
    [InlineData(64L << 20, 32L << 20, 0, "Minimum memoryswap limit should be larger than memory limit, see usage")]
    [InlineData(0, 32L << 20, 0, "You should always set the Memory limit when using Memoryswap limit, see usage")]
    [InlineData(0, 0, 3_000_000_000, "range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available")]
    [InlineData(64L << 20, -1, 2_000_000_000, "")]
    public void Impossible_limits_are_refused_in_dockers_words(long memory, long swap, long cpus, string problem)
    {
        var problems = new List<Problem>();
        ResourcePlan.Check(new HostConfig { Memory = memory, MemorySwap = swap, NanoCpus = cpus }, FakeHost.Facts, problems);
        Assert.Equal(problem, string.Join(';', problems.Select(p => p.Message)));
    }

    [Theory]
    [InlineData("no", 0, 1, false, 0, 1, -1)]
    [InlineData("always", 0, 0, false, 0, 1, 100)]
    [InlineData("always", 0, 0, false, 9, 3, 400)]
    [InlineData("always", 0, 0, false, 50, 30, 60_000)]
    [InlineData("always", 0, 0, true, 0, 1, -1)]
    [InlineData("unless-stopped", 0, 1, false, 0, 1, 100)]
    [InlineData("on-failure", 0, 0, false, 0, 1, -1)]
    [InlineData("on-failure", 0, 1, false, 7, 1, 100)]
    [InlineData("on-failure", 3, 1, false, 2, 1, 100)]
    [InlineData("on-failure", 3, 1, false, 3, 1, -1)]
    public void A_policy_says_whether_and_when(string policy, int most, int exitCode, bool stopped, int restarts, int quick, int expectedMs)
    {
        var delay = RestartPlan.After(new ContainerRestartPolicy { Name = policy, MaximumRetryCount = most }, exitCode, stopped, restarts, quick);
        Assert.Equal(expectedMs, delay is { } d ? (int)d.TotalMilliseconds : -1);
    }

    [Theory]
    [InlineData(0.4, "Less than a second")]
    [InlineData(1, "1 second")]
    [InlineData(59, "59 seconds")]
    [InlineData(61, "About a minute")]
    [InlineData(180, "3 minutes")]
    [InlineData(3600, "About an hour")]
    [InlineData(3600 * 5, "5 hours")]
    [InlineData(3600 * 24 * 3, "3 days")]
    [InlineData(3600 * 24 * 21, "3 weeks")]
    [InlineData(3600 * 24 * 90, "3 months")]
    [InlineData(3600L * 24 * 365 * 3, "3 years")]
    public void Durations_are_told_as_docker_tells_them(double seconds, string expected) =>
        Assert.Equal(expected, StatusText.Human(TimeSpan.FromSeconds(seconds)));

    [Theory]
    [InlineData("SIGTERM", 15)]
    [InlineData("term", 15)]
    [InlineData("9", 9)]
    [InlineData("SIGRTMIN+3", 37)]
    [InlineData("RTMAX-1", 63)]
    [InlineData("SIGNOTHING", null)]
    [InlineData("0", null)]
    [InlineData("65", null)]
    [InlineData("RTMIN+40", null)]
    [InlineData("", null)]
    public void Signals_have_names_and_numbers(string text, int? expected) => Assert.Equal(expected, Signals.Parse(text));

    [Fact]
    public void Networks_are_joined_in_order_with_their_addresses_and_aliases()
    {
        HostNetwork[] networks = [new() { Id = "n1", Name = "front" }, new() { Id = "n2", Name = "back" }, new() { Id = "b", Name = "bridge" }];
        var problems = new List<Problem>();
        var plan = EndpointPlan.Of(
            new HostConfig
            {
                NetworkMode = "front",
                PortBindings = new Dictionary<string, IReadOnlyList<PortBinding>> { ["80/tcp"] = [new() { HostPort = "8080" }], ["53/udp"] = [new() { HostIp = "127.0.0.1" }] },
            },
            new NetworkingConfig
            {
                EndpointsConfig = new Dictionary<string, EndpointSettings?>
                {
                    ["back"] = new() { Aliases = ["db"] },
                    ["n1"] = new() { IpamConfig = new EndpointIpamConfig { Ipv4Address = "10.1.0.9" } },
                },
            },
            "web", "abcdefabcdef", networks, problems);
        Assert.Empty(problems);
        Assert.Equal(["n1", "n2"], plan.Endpoints.Select(e => e.NetworkId));
        Assert.Equal("10.1.0.9", plan.Endpoints[0].Address!.ToString());
        Assert.Equal(["db", "web", "abcdefabcdef"], plan.Endpoints[1].Aliases);
        Assert.Equal(["Tcp  8080 80", "Udp 127.0.0.1 0 53"], plan.Ports.Select(p => $"{p.Protocol} {p.HostIp} {p.HostPort} {p.ContainerPort}"));
        Assert.Empty(EndpointPlan.Of(new HostConfig(), null, "web", "x", networks, problems).Endpoints.Single().Aliases);
        // `docker run` without --network says so in both places.
        var settings = new NetworkingConfig { EndpointsConfig = new Dictionary<string, EndpointSettings?> { ["default"] = null } };
        Assert.Equal("b", EndpointPlan.Of(new HostConfig { NetworkMode = "default" }, settings, "web", "x", networks, problems).Endpoints.Single().NetworkId);
        Assert.Empty(problems);
        Assert.True(EndpointPlan.Of(new HostConfig { NetworkMode = "host" }, null, "web", "x", networks, problems).HostNetwork);
    }

    [Fact]
    public void The_stock_clients_name_for_no_network_is_the_bridge()
    {
        var problems = new List<Problem>();
        var plan = EndpointPlan.Of(
            new HostConfig { NetworkMode = "default" },
            new NetworkingConfig { EndpointsConfig = new Dictionary<string, EndpointSettings?> { ["default"] = new() { MacAddress = "02:00:00:00:00:09" } } },
            "web", "x", [new() { Id = "b", Name = "bridge" }], problems);
        Assert.Empty(problems);
        Assert.Equal(("b", "020000000009"), (plan.Endpoints.Single().NetworkId, plan.Endpoints.Single().Mac!.ToString()));
    }

    [Theory]
    [InlineData("json-file", "max-size=10m|max-file=3", 10 << 20, 3, "")]
    [InlineData("", "max-size=1k", 1024, 1, "")]
    [InlineData("local", "", 20 << 20, 5, "")]
    [InlineData("local", "max-size=1m|max-file=2|compress=false|mode=non-blocking|max-buffer-size=4m", 1 << 20, 2, "")]
    [InlineData("local", "tag=x", 0, 0, "unknown log opt 'tag' for local log driver")]
    [InlineData("none", "max-size=1m", 0, 0, "unknown log opt 'max-size' for none log driver")]
    [InlineData("syslog", "", 0, 0, "no log driver named 'syslog' is registered")]
    [InlineData("json-file", "compress=true", 0, 0, "compress cannot be true when max-file is less than 2")]
    [InlineData("json-file", "max-size=1m|max-file=2|compress=maybe", 0, 0, "invalid value for log opt 'compress': maybe")]
    [InlineData("json-file", "max-buffer-size=1m", 0, 0, "only supported with 'mode=non-blocking'")]
    [InlineData("json-file", "mode=fast", 0, 0, "invalid value for log opt 'mode': fast")]
    [InlineData("json-file", "labels-regex=[", 0, 0, "invalid value for log opt 'labels-regex'")]
    [InlineData("json-file", "tag={{.Colour}}", 0, 0, "invalid value for log opt 'tag'")]
    [InlineData("json-file", "tag={{.Name}}/{{ .ID }}", 0, 1, "")]
    [InlineData("json-file", "max-file=3", 0, 0, "max-size must be set")]
    [InlineData("json-file", "max-size=big", 0, 0, "invalid value for log opt 'max-size': big")]
    [InlineData("json-file", "color=red", 0, 0, "unknown log opt 'color'")]
    public void Log_options_are_read_or_refused(string driver, string options, long size, int files, string problem)
    {
        var log = new LogConfig { Type = driver, Config = Split(options).Select(o => o.Split('=')).ToDictionary(o => o[0], o => o[1]) };
        var problems = new List<Problem>();
        LogPlan.Check(log, problems);
        Assert.Equal(problem.Length > 0, problems.Count > 0);
        if (problem.Length > 0)
            Assert.Contains(problem, problems[0].Message, StringComparison.Ordinal);
        else
        {
            var target = LogPlan.Of(new ContainerDirectory("/c", "id"), Logging(log));
            Assert.Equal((size, files), (target.MaxSizeBytes ?? 0, target.MaxFiles));
        }
    }

    [Fact]
    public void Labels_variables_and_the_tag_are_noted_with_every_line()
    {
        var container = Logging(new LogConfig
        {
            Type = "json-file",
            Config = new Dictionary<string, string> { ["labels"] = "tier, none", ["env-regex"] = "^APP_", ["tag"] = "{{.Name}}@{{.ID}}" },
        });
        container = container with { Config = new ContainerConfig { Labels = new Dictionary<string, string> { ["tier"] = "web", ["x"] = "y" }, Env = ["APP_A=1", "PATH=/"] } };
        var noted = LogPlan.Of(new ContainerDirectory("/c", "id"), container).Attributes;
        Assert.Equal("APP_A=1 tag=box@cccccccccccc tier=web", string.Join(' ', noted.OrderBy(n => n.Key, StringComparer.Ordinal).Select(n => $"{n.Key}={n.Value}")));
    }

    [Fact]
    public void The_daemons_way_of_logging_holds_for_who_names_none()
    {
        var standard = new LogConfig { Type = "local", Config = new Dictionary<string, string> { ["max-file"] = "2" } };
        Assert.Equal(standard, LogPlan.Fill(new HostConfig(), standard).LogConfig);
        Assert.Equal("json-file", LogPlan.Fill(new HostConfig { LogConfig = new LogConfig { Type = "json-file" } }, standard).LogConfig!.Type);
        var options = LogPlan.Fill(new HostConfig { LogConfig = new LogConfig { Config = new Dictionary<string, string> { ["max-size"] = "1m" } } }, standard).LogConfig!;
        Assert.Equal(("local", "max-size"), (options.Type, Assert.Single(options.Config.Keys)));
    }

    [Theory]
    [InlineData("c 1:3 rwm", "c 1 3 rwm")]
    [InlineData("b *:* r", "b   r")]
    [InlineData("a *:* rwm", "a   rwm")]
    [InlineData("c 1:3", null)]
    [InlineData("d 1:3 r", null)]
    [InlineData("c 1:99999999999 r", null)]
    public void Device_rules_are_read_as_the_kernel_reads_them(string text, string? read)
    {
        var rule = DeviceRequest.Rule(text);
        Assert.Equal(read, rule is null ? null : $"{rule.Type} {rule.Major} {rule.Minor} {rule.Access}");
    }

    [Fact]
    public void What_is_both_added_and_dropped_is_kept() =>
        Assert.Contains("CAP_NET_ADMIN", CapabilityPlan.Of(["NET_ADMIN"], ["NET_ADMIN"], []));

    [Fact]
    public void Every_exposed_port_gets_one_of_the_hosts_choice_and_named_ones_stay()
    {
        var config = new ContainerConfig { ExposedPorts = new Dictionary<string, EmptyObject> { ["80/tcp"] = new(), ["53/udp"] = new(), ["443/tcp"] = new() } };
        var bindings = new Dictionary<string, IReadOnlyList<PortBinding>> { ["443/tcp"] = [new PortBinding { HostPort = "8443" }] };
        var host = PublishPlan.Of(config, new HostConfig { PublishAllPorts = true, PortBindings = bindings });
        Assert.Equal(
            "443/tcp>8443 53/udp> 80/tcp>",
            string.Join(' ', host.PortBindings.OrderBy(b => b.Key, StringComparer.Ordinal).Select(b => $"{b.Key}>{Assert.Single(b.Value).HostPort}")));
    }

    private static StoredContainer Logging(LogConfig log) => new()
    {
        Id = new string('c', 64), Name = "box", Created = default, ImageId = "sha256:" + new string('a', 64),
        Config = new ContainerConfig(), HostConfig = new HostConfig { LogConfig = log },
    };

    private static string[] Split(string text) => text.Split('|', StringSplitOptions.RemoveEmptyEntries);
}
