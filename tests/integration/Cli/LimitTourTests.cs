using System.Globalization;
using System.Text.Json;
using Orchestrator.Tests.Integration.Fixtures;

namespace Orchestrator.Tests.Integration.Cli;

/// <summary>Pausing, limits and usage, through the stock client and through ours, against one daemon.</summary>
public sealed class LimitTourTests : IAsyncLifetime
{
    private OrchHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(
            (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(d => File.Exists(Path.Combine(d, "docker"))), "needs the docker client on PATH");
        _host = await CliHost.StartAsync();
    }

    public ValueTask DisposeAsync() => _host?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Fact]
    public async Task Both_clients_pause_update_and_measure_a_container()
    {
        (await _host.DockerAsync("run", "-d", "--init", "--name", "box", "-m", "64m", "--pids-limit", "50", "--cpus", "0.5", "busybox", "sh", "-c", "while :; do :; done")).Succeeded();
        Assert.Equal("box\n", (await _host.DockerAsync("pause", "box")).Succeeded().Output);
        Assert.Contains("(Paused)", (await _host.DockerAsync("ps")).Succeeded().Output, StringComparison.Ordinal);
        Assert.Equal("box\n", (await _host.DockerAsync("ps", "--filter", "status=paused", "--format", "{{.Names}}")).Succeeded().Output);
        Assert.Contains("Paused: 1", (await _host.DockerAsync("info")).Succeeded().Output, StringComparison.Ordinal);
        await RefusedAsync("is already paused", "pause", "box");
        Assert.Equal("box\n", (await _host.OrchAsync("unpause", "box")).Succeeded().Output);
        await RefusedAsync("is not paused", "unpause", "box");

        Assert.Equal("box\n", (await _host.DockerAsync("update", "-m", "96m", "--pids-limit", "60", "--restart", "on-failure:3", "box")).Succeeded().Output);
        Assert.Equal("box\n", (await _host.OrchAsync("container", "update", "--cpu-shares", "512", "--memory-reservation", "32m", "box")).Succeeded().Output);
        var inspected = (await _host.DockerAsync(
            "inspect", "--format", "{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.PidsLimit}} {{.HostConfig.CpuShares}} {{.HostConfig.MemoryReservation}} {{.HostConfig.RestartPolicy.Name}}:{{.HostConfig.RestartPolicy.MaximumRetryCount}}", "box")).Succeeded();
        Assert.Equal("100663296 134217728 60 512 33554432 on-failure:3\n", inspected.Output);
        await RefusedAsync("update the memoryswap at the same time", "update", "-m", "1g", "box");
        await RefusedAsync("Conflicting options: CPU Quota cannot be updated as NanoCPUs has already been set", "update", "--cpu-quota", "5000", "box");
        var without = await _host.OrchAsync("update", "box");
        Assert.Equal((1, "you must provide one or more flags when using this command\n"), (without.ExitCode, without.Error));

        foreach (var client in (Func<string[], Task<Ran>>[])[a => _host.DockerAsync(a), a => _host.OrchAsync(a)])
        {
            var table = (await client(["stats", "--no-stream", "box"])).Succeeded().Output.Split('\n');
            Assert.Matches(@"^CONTAINER ID +NAME +CPU % +MEM USAGE / LIMIT +MEM % +NET I/O +BLOCK I/O +PIDS", table[0]);
            Assert.Matches(@"^[0-9a-f]{12} +box +[0-9.]+% +[0-9.]+[KM]?i?B / 96MiB +[0-9.]+% +[0-9.]+k?M?B / [0-9.]+k?M?B +[0-9.]+k?M?B / [0-9.]+k?M?B +2\s*$", table[1]);
            var share = (await client(["stats", "--no-stream", "--format", "{{.CPUPerc}}", "box"])).Succeeded().Output.Trim('%', '\n');
            Assert.InRange(double.Parse(share, CultureInfo.InvariantCulture), 0.1, 120);
        }
    }

    [Fact]
    public async Task Both_clients_list_processes_alike()
    {
        (await _host.DockerAsync("run", "-d", "--name", "tree", "busybox", "sh", "-c", "sleep 1000 & exec sleep 2000")).Succeeded();
        await Shell.EventuallyAsync("two processes", () => _host.OrchAsync("top", "tree", "-o", "pid,cmd"), r => r.Output.Contains("sleep 1000", StringComparison.Ordinal) && r.Output.Contains("sleep 2000", StringComparison.Ordinal));
        foreach (var arguments in (string[][])[["-o", "pid,ppid,user,args"], ["-eo", "pid,comm,stat"]])
        {
            string[] call = ["top", "tree", .. arguments];
            var stock = (await _host.DockerAsync(call)).Succeeded();
            Assert.Equal(stock.Output, (await _host.OrchAsync(call)).Succeeded().Output);
        }
        Assert.Matches(@"^UID +PID +PPID +C +STIME +TTY +TIME +CMD\n", (await _host.DockerAsync("top", "tree")).Succeeded().Output);
        await RefusedAsync("is not offered", "top", "tree", "--forest");
    }

    [Fact]
    public async Task A_stream_of_stats_measures_against_the_reading_before_and_ends_with_the_container()
    {
        (await _host.DockerAsync("run", "-d", "--name", "short", "busybox", "sleep", "1000")).Succeeded();
        var two = (await Shell.RunAsync("sh", ["-c", $"curl -sSN --unix-socket {_host.Socket} http://orch/containers/short/stats | head -n 2"])).Succeeded();
        var lines = two.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        var single = await _host.GetAsync("/containers/short/stats?stream=false");
        Assert.True(single.GetProperty("precpu_stats").GetProperty("system_cpu_usage").GetInt64() < single.GetProperty("cpu_stats").GetProperty("system_cpu_usage").GetInt64());
        var streaming = Shell.RunAsync("curl", ["-sSN", "--unix-socket", _host.Socket, "http://orch/containers/short/stats"]);
        (await _host.DockerAsync("rm", "-f", "short")).Succeeded();
        (await streaming).Succeeded();
        using var first = JsonDocument.Parse(lines[0]);
        using var second = JsonDocument.Parse(lines[1]);
        Assert.Equal(first.RootElement.GetProperty("read").GetString(), second.RootElement.GetProperty("preread").GetString());
        Assert.Equal("/short", first.RootElement.GetProperty("name").GetString());
        var both = await Shell.RunAsync("curl", ["-sS", "--unix-socket", _host.Socket, "http://orch/containers/short/stats?stream=true&one-shot=true"]);
        Assert.Contains("cannot have stream=true and one-shot=true", both.Output, StringComparison.Ordinal);
    }

    private async Task RefusedAsync(string reason, params string[] arguments)
    {
        foreach (var ran in (Ran[])[await _host.DockerAsync(arguments), await _host.OrchAsync(arguments)])
        {
            Assert.NotEqual(0, ran.ExitCode);
            Assert.Contains(reason, ran.Error, StringComparison.Ordinal);
        }
    }
}
