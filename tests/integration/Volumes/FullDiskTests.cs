using System.Globalization;
using Orchestrator.Tests.Integration.Fixtures;

namespace Orchestrator.Tests.Integration.Volumes;

/// <summary>A data root with no room left.</summary>
public sealed class FullDiskTests : IAsyncLifetime
{
    private const string NoRoom = "No space left on device";
    private OrchHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(
            (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(d => File.Exists(Path.Combine(d, "docker"))), "needs the docker client on PATH");
        _host = await OrchHost.StartAsync();
        await _host.StopDaemonAsync();
        (await _host.InsideAsync("mount", "-t", "tmpfs", "-o", "size=40m", "tmpfs", $"{_host.Root}/data")).Succeeded();
        await _host.StartDaemonAsync();
        (await _host.OrchAsync("swarm", "init")).Succeeded();
        await File.WriteAllBytesAsync($"{_host.Root}/busybox.tar", TestImages.Busybox());
        (await _host.OrchAsync("image", "load", "-i", $"{_host.Root}/busybox.tar")).Succeeded();
    }

    public ValueTask DisposeAsync() => _host?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Fact]
    public async Task It_fails_the_one_operation_with_its_sentence_and_loses_nothing_acknowledged()
    {
        (await _host.DockerAsync("run", "-d", "--init", "--name", "talker", "busybox", "sh", "-c", "i=0; while true; do i=$((i+1)); echo $i; sleep 1; done")).Succeeded();
        var pid = await PidAsync();
        (await _host.DockerAsync("run", "-d", "--init", "--name", "victim", "busybox", "sleep", "1000")).Succeeded();
        (await _host.DockerAsync(
            "run", "-d", "--init", "--name", "sick", "--health-cmd", "test -e /dev/shm/well", "--health-interval", "300ms", "--health-retries", "1",
            "busybox", "sh", "-c", "touch /dev/shm/well; sleep 1000")).Succeeded();

        await FillAsync(leave: 512 * 1024);
        var filling = await _host.DockerAsync("create", "--name", "filler", "-v", "fresh:/bin", "busybox", "true");
        Assert.Contains("fill volume fresh: ", filling.Error, StringComparison.Ordinal);
        Assert.Contains(NoRoom, filling.Error, StringComparison.Ordinal);
        await File.WriteAllBytesAsync($"{_host.Root}/other.tar", TestImages.Archive("other:1", new() { Cmd = ["sh"] }, [TestImages.BinaryFile("big", new byte[2 << 20])]));
        Assert.Contains(NoRoom, (await _host.OrchAsync("image", "load", "-i", $"{_host.Root}/other.tar")).Error, StringComparison.Ordinal);

        await FillAsync(leave: 0);
        var written = await LastLineAsync();
        Assert.Contains(NoRoom, (await _host.DockerAsync("create", "--name", "late", "busybox", "true")).Error, StringComparison.Ordinal);
        var kept = new List<string>();
        var failed = 0;
        for (var i = 0; i < 20 && failed == 0; i++)
        {
            var ran = await _host.OrchAsync("service", "create", "-d", "--name", $"s{i}", "--replicas", "0", "--label", "x=" + new string('x', 60_000), "busybox", "true");
            if (ran.ExitCode == 0)
            {
                kept.Add($"s{i}");
            }
            else
            {
                Assert.Contains(NoRoom, ran.Error, StringComparison.Ordinal);
                failed++;
            }
        }

        Assert.Equal(1, failed);
        Assert.Equal(pid, await PidAsync());

        // What goes needs no room: it ends, is seen to have ended, and is removed.
        (await _host.DockerAsync("kill", "victim")).Succeeded();
        await Shell.EventuallyAsync("the victim's end", () => _host.DockerAsync("inspect", "--format", "{{.State.Status}}", "victim"), r => r.Output == "exited\n");
        (await _host.DockerAsync("rm", "victim")).Succeeded();
        await Shell.EventuallyAsync(
            "the check goes on", () => _host.DockerAsync("inspect", "--format", "{{.State.Health.Status}}", "sick"), r => r.Output == "healthy\n");
        (await _host.DockerAsync("exec", "sick", "sh", "-c", "rm /dev/shm/well")).Succeeded();
        await Shell.EventuallyAsync(
            "and finds it unhealthy", () => _host.DockerAsync("inspect", "--format", "{{.State.Health.Status}}", "sick"), r => r.Output == "unhealthy\n");

        // A daemon that is killed now finds its containers and its cluster again on the full disk.
        await _host.KillDaemonAsync();
        await _host.StartDaemonAsync();
        Assert.Equal(pid, await PidAsync());
        await Shell.EventuallyAsync("the cluster answers", () => _host.OrchAsync("service", "ls", "--format", "{{.Name}}"), ls => ls.ExitCode == 0);
        (await _host.InsideAsync("rm", $"{_host.Root}/data/ballast")).Succeeded();
        await _host.StopDaemonAsync();
        await _host.StartDaemonAsync();

        Assert.Equal(pid, await PidAsync());
        await Shell.EventuallyAsync("lines after the disk was full", LastLineAsync, last => last > written);
        var names = (await _host.OrchAsync("service", "ls", "--format", "{{.Name}}")).Succeeded().Output.Split('\n');
        Assert.All(kept, name => Assert.Contains(name, names));
        Assert.Equal("busybox\n", (await _host.OrchAsync("images", "--format", "{{.Repository}}")).Output);
        (await _host.DockerAsync("create", "--name", "filler", "-v", "fresh:/bin", "busybox", "true")).Succeeded();
        Assert.True((await _host.InsideAsync("ls", $"{_host.Root}/data/volumes/fresh/_data/busybox")).ExitCode == 0);
        (await _host.OrchAsync("image", "load", "-i", $"{_host.Root}/other.tar")).Succeeded();
    }

    /// <summary>Takes all room but so many bytes.</summary>
    private async Task FillAsync(long leave)
    {
        var ballast = $"{_host.Root}/data/ballast";
        await _host.InsideAsync("sh", "-c", $"dd if=/dev/zero of={ballast} bs=64k oflag=append conv=notrunc 2>/dev/null; dd if=/dev/zero of={ballast} bs=4k oflag=append conv=notrunc 2>/dev/null; true");
        if (leave > 0)
            (await _host.InsideAsync("truncate", "-s", string.Create(CultureInfo.InvariantCulture, $"-{leave}"), ballast)).Succeeded();
    }

    private async Task<int> PidAsync() =>
        int.Parse((await _host.DockerAsync("inspect", "--format", "{{if .State.Running}}{{.State.Pid}}{{else}}0{{end}}", "talker")).Succeeded().Output, CultureInfo.InvariantCulture);

    private async Task<int> LastLineAsync() =>
        int.TryParse((await _host.DockerAsync("logs", "--tail", "1", "talker")).Succeeded().Output, CultureInfo.InvariantCulture, out var line) ? line : 0;
}
