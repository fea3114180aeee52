using Orchestrator.Shared.Model;

namespace Orchestrator.Tests.Unit.Cli.Commands.Containers;

public sealed class RunFlagsTests
{
    private static async Task<(Ran Ran, ContainerCreateRequest? Body, string Query)> CreateAsync(params string[] words)
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.On("POST /containers/create", """{"Id":"abc","Warnings":["mind the gap"]}""", 201);
        var ran = await engine.RunAsync(["create", .. words]);
        var call = engine.Calls.FirstOrDefault(c => c.Call.StartsWith("POST /containers/create", StringComparison.Ordinal));
        return (ran, call.Body is null ? null : ModelJson.Read<ContainerCreateRequest>(System.Text.Encoding.UTF8.GetBytes(call.Body)), call.Call ?? "");
    }

    [Fact]
    public async Task Words_after_the_image_are_the_programs_own()
    {
        var (ran, body, query) = await CreateAsync("--name", "web", "-e", "A=1", "busybox", "sh", "-c", "echo -e x", "--name", "y");
        Assert.Equal((0, "abc\n", "WARNING: mind the gap\n"), (ran.Code, ran.Out, ran.Error));
        Assert.EndsWith("?name=web", query, StringComparison.Ordinal);
        Assert.Equal("busybox", body!.Image);
        Assert.Equal(["sh", "-c", "echo -e x", "--name", "y"], body.Cmd);
        Assert.Equal(["A=1"], body.Env);
    }

    [Fact]
    public async Task Every_flag_lands_in_its_field()
    {
        var (ran, body, _) = await CreateAsync(
            "-it", "-h", "box", "-u", "7:8", "-w", "/srv", "--entrypoint", "/init", "-l", "a=b", "-l", "c", "--stop-signal", "INT", "--stop-timeout", "3",
            "--health-cmd", "true", "--health-interval", "5s", "--health-retries", "2",
            "--rm", "--restart", "on-failure:4", "-v", "/a:/b:ro", "-v", "data:/d", "-v", "/anonymous", "--mount", "type=bind,src=/x,dst=/y", "--tmpfs", "/t:size=1m",
            "--shm-size", "1g", "--read-only", "--cap-add", "NET_ADMIN", "--cap-drop", "CHOWN", "--privileged", "--security-opt", "no-new-privileges",
            "--security-opt", "systempaths=unconfined", "--group-add", "audio", "--device", "/dev/null:/dev/nil:r", "--sysctl", "net.a=1", "--init", "--pid", "host", "--ipc", "host", "--uts", "host",
            "--userns", "host", "--cgroup-parent", "/p", "--log-driver", "local", "--log-opt", "max-size=1m", "--volumes-from", "other",
            "-m", "64m", "--memory-swap", "-1", "--memory-reservation", "32m", "--memory-swappiness", "10", "--oom-kill-disable", "--oom-score-adj", "-5", "--cpus", "1.5",
            "-c", "512", "--cpuset-cpus", "0", "--pids-limit", "50", "--ulimit", "nofile=10:20", "--blkio-weight", "100", "--device-read-bps", "/dev/sda:1m", "--device-write-iops", "/dev/sda:9",
            "-p", "8080:80", "-p", "127.0.0.1::53/udp", "-P", "--expose", "90-91", "--add-host", "db=10.0.0.9", "--dns", "9.9.9.9", "--dns-option", "ndots:1", "--dns-search", "x.org",
            "--network", "mine", "--network-alias", "n", "--ip", "10.1.2.3", "busybox");
        Assert.True(ran.Code == 0, ran.Error);
        Assert.True(body is { Tty: true, OpenStdin: true, StdinOnce: true, AttachStdin: true, Hostname: "box", User: "7:8", WorkingDir: "/srv", StopSignal: "INT", StopTimeout: 3 });
        Assert.Equal(["/init"], body!.Entrypoint);
        Assert.Equal(("b", ""), (body.Labels["a"], body.Labels["c"]));
        Assert.True(body.Healthcheck is { Test: ["CMD-SHELL", "true"], Retries: 2 } health && health.Interval == TimeSpan.FromSeconds(5));
        Assert.Equal(["/anonymous"], body.Volumes.Keys);
        Assert.Equal(["53/udp", "80/tcp", "90/tcp", "91/tcp"], body.ExposedPorts.Keys);
        var host = body.HostConfig!;
        Assert.True(host is { AutoRemove: true, ReadonlyRootfs: true, Privileged: true, Init: true, PublishAllPorts: true, OomKillDisable: true, PidMode: "host", IpcMode: "host", UtsMode: "host", UsernsMode: "host", CgroupParent: "/p" });
        Assert.True(host.RestartPolicy is { Name: "on-failure", MaximumRetryCount: 4 });
        Assert.Equal(["/a:/b:ro", "data:/d"], host.Binds);
        Assert.Equal(("/x", "/y"), (host.Mounts[0].Source, host.Mounts[0].Target));
        Assert.Equal("size=1m", host.Tmpfs["/t"]);
        Assert.Equal((1L << 30, 64L << 20, -1L, 32L << 20, 10L, -5L), (host.ShmSize, host.Memory, host.MemorySwap, host.MemoryReservation, host.MemorySwappiness, host.OomScoreAdj));
        Assert.Equal((1_500_000_000L, 512L, "0", 50L, 100), (host.NanoCpus, host.CpuShares, host.CpusetCpus, host.PidsLimit, host.BlkioWeight));
        Assert.Equal(["no-new-privileges", "systempaths=unconfined"], host.SecurityOpt);
        Assert.True(host.Devices is [{ PathOnHost: "/dev/null", PathInContainer: "/dev/nil", CgroupPermissions: "r" }]);
        Assert.True(host.BlkioDeviceReadBps is [{ Path: "/dev/sda", Rate: 1 << 20 }] && host.BlkioDeviceWriteIops is [{ Rate: 9 }]);
        Assert.True(host.Ulimits is [{ Name: "nofile", Soft: 10, Hard: 20 }]);
        Assert.True(host.LogConfig is { Type: "local" } && host.LogConfig.Config["max-size"] == "1m");
        Assert.Equal(["other"], host.VolumesFrom);
        Assert.True(host.PortBindings["80/tcp"] is [{ HostIp: null, HostPort: "8080" }] && host.PortBindings["53/udp"] is [{ HostIp: "127.0.0.1", HostPort: "" or null }]);
        Assert.Equal(["db:10.0.0.9"], host.ExtraHosts);
        Assert.Equal("mine", host.NetworkMode);
        Assert.True(body.NetworkingConfig!.EndpointsConfig["mine"] is { Aliases: ["n"], IpamConfig.Ipv4Address: "10.1.2.3" });
    }

    [Theory]
    [InlineData("--link cannot be used: orch has no container links", "--link", "db", "busybox")]
    [InlineData("--gpus cannot be used", "--gpus", "all", "--runtime", "runsc", "busybox")]
    [InlineData("invalid IP address 'x' in --publish", "-p", "x:1:2", "busybox")]
    [InlineData("is no port or range of ports", "-p", "1:0", "busybox")]
    [InlineData("invalid restart policy 'always:3'", "--restart", "always:3", "busybox")]
    [InlineData("bad format for path: 'null'", "--device", "null", "busybox")]
    [InlineData("--memory: 'much' is not an amount of memory", "-m", "much", "busybox")]
    [InlineData("network \"a\" is specified multiple times", "--network", "a", "--network", "a", "busybox")]
    [InlineData("--no-healthcheck conflicts with --health-* options", "--no-healthcheck", "--health-cmd", "x", "busybox")]
    public async Task What_cannot_be_read_or_honoured_is_refused_before_anything_is_made(string reason, params string[] words)
    {
        var (ran, body, _) = await CreateAsync(words);
        Assert.Null(body);
        Assert.NotEqual(0, ran.Code);
        Assert.Contains(reason, ran.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("8000-8001:80-81", "80/tcp=8000 81/tcp=8001")]
    [InlineData("8000-8010:80", "80/tcp=8000-8010")]
    [InlineData("80", "80/tcp=")]
    [InlineData("[::1]:5:6/udp", "6/udp=::1:5")]
    public async Task Ports_are_published_one_by_one(string text, string expected)
    {
        var (_, body, _) = await CreateAsync("-p", text, "busybox");
        Assert.Equal(expected, string.Join(' ', body!.HostConfig!.PortBindings.OrderBy(p => p.Key, StringComparer.Ordinal)
            .Select(p => $"{p.Key}={(p.Value[0].HostIp is { Length: > 0 } ip ? ip + ":" : "")}{p.Value[0].HostPort}")));
    }

    [Fact]
    public async Task A_daemon_that_refuses_is_code_125_and_a_program_that_is_not_there_127()
    {
        await using var engine = await FakeEngine.StartAsync();
        engine.On("POST /containers/create", """{"message":"port is taken"}""", 409);
        var refused = await engine.RunAsync("run", "-d", "busybox");
        Assert.Equal((125, "Error response from daemon: port is taken\n"), (refused.Code, refused.Error));
        engine.On("POST /containers/create", """{"Id":"abc"}""", 201);
        engine.On("POST /containers/abc/start", """{"message":"exec: \"nope\": executable file not found in $PATH"}""", 400);
        Assert.Equal(127, (await engine.RunAsync("run", "-d", "busybox", "nope")).Code);
    }

    [Fact]
    public async Task The_id_file_is_written_once_and_not_left_behind_by_a_refusal()
    {
        var file = Path.Combine(Path.GetTempPath(), $"orch-cid-{Guid.NewGuid():N}");
        try
        {
            await CreateAsync("--cidfile", file, "busybox");
            Assert.Equal("abc", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
            var (again, body, _) = await CreateAsync("--cidfile", file, "busybox");
            Assert.Null(body);
            Assert.Contains("container ID file found", again.Error, StringComparison.Ordinal);
            File.Delete(file);
            await using var engine = await FakeEngine.StartAsync();
            engine.On("POST /containers/create", """{"message":"no"}""", 400);
            await engine.RunAsync("create", "--cidfile", file, "busybox");
            Assert.False(File.Exists(file));
        }
        finally
        {
            File.Delete(file);
        }
    }
}
