using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Worker.Runtime;
using Orchestrator.Worker.Runtime.Shim;
using Orchestrator.Worker.Shim;

namespace Orchestrator.Tests.Integration.Runtime;

public sealed class ShimTests
{
    public ShimTests() => RuntimeHost.NeedRoot();

    private static ShimProcess Daemon(string root, string instance) => new(
        new ShimCommand
        {
            Arguments = [Path.Combine(AppContext.BaseDirectory, "orch"), "shim", "--exec-root", root],
            ExecRoot = root,
            CgroupPath = $"/{instance}/shim",
        },
        NullLogger.Instance);

    [Fact]
    public async Task A_container_outlives_the_daemon_and_its_exit_is_told_to_the_next_one()
    {
        var instance = $"orch-shim-{Environment.ProcessId}";
        var execRoot = $"/tmp/{instance}-run";
        ShimProcess? first = null;
        StartedContainer running;
        await using var second = Daemon(execRoot, instance);
        await using (var host = new RuntimeHost(_ => new ShimRuntime(second)))
        {
            await using (first = Daemon(execRoot, instance))
            {
                var runtime = new ShimRuntime(first);
                running = await runtime.StartAsync(host.Shell("keeps", "echo one; while [ ! -e /go ]; do sleep 0.02; done; echo two; exit 4"), CancellationToken.None);
                await runtime.StartAsync(host.Shell("ended", "exit 0"), CancellationToken.None);
                await host.WaitForOutputAsync("keeps", "one");
                var refused = await Assert.ThrowsAsync<ShimException>(() => first.ShutdownAsync(CancellationToken.None));
                Assert.Contains("does not stop", refused.Message);
                var missing = await Assert.ThrowsAsync<RuntimeException>(() => runtime.StartAsync(host.Request("missing", "nowhere"), CancellationToken.None));
                Assert.Equal(127, missing.ExitCode);
            }
            // Another daemon: the same container, the same process, and the exit that nobody was there to see.
            var listed = await host.Runtime.ListAsync(CancellationToken.None);
            Assert.Equal(running.Pid, listed.Single(c => c.Id == "keeps").Pid);
            Assert.Equal(0, (await host.ExitAsync("ended")).ExitCode);
            await File.WriteAllTextAsync($"/proc/{running.Pid}/root/go", "");
            Assert.Equal(4, (await host.ExitAsync("keeps")).ExitCode);
            Assert.Equal(["one", "two"], host.Output("keeps"));
            foreach (var container in listed)
                await host.Runtime.DeleteAsync(container.Id, CancellationToken.None);
            await second.ShutdownAsync(CancellationToken.None);
            Assert.False(File.Exists(ShimMain.SocketPath(execRoot)));
            Assert.DoesNotContain(Directory.EnumerateDirectories("/sys/fs/cgroup"), h => Directory.Exists($"{h}/{instance}"));
        }
        Directory.Delete(execRoot, recursive: true);
    }

    [Fact]
    public async Task A_shim_that_cannot_start_is_explained()
    {
        var root = $"/tmp/orch-noshim-{Environment.ProcessId}";
        await using var daemon = new ShimProcess(
            new ShimCommand { Arguments = ["/bin/false"], ExecRoot = root, CgroupPath = $"/orch-noshim-{Environment.ProcessId}/shim" }, NullLogger.Instance);
        var failure = await Assert.ThrowsAsync<ShimException>(() => daemon.EnsureAsync(CancellationToken.None));
        Assert.Contains("shim.log", failure.Message);
        await daemon.ShutdownAsync(CancellationToken.None);
        Directory.Delete(root, recursive: true);
    }
}
