using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.Tests.Integration.Fixtures;
using Orchestrator.Tests.Integration.Hosts;
using Orchestrator.Tests.Integration.Runtime;
using Orchestrator.Worker.Runtime.Shim;
using Orchestrator.Worker.Shim;

namespace Orchestrator.Tests.Integration.Recovery;

/// <summary>A shim becomes another program in the same process.</summary>
[Collection("hosts")]
public sealed class ShimUpgradeTests
{
    [Fact]
    public async Task Containers_their_output_and_their_exits_go_through_an_upgrade_in_place()
    {
        await using var world = await HostWorld.StartAsync();
        var id = await world.RunAsync(HostWorld.Script(
            "trap 'echo bye; exit 5' TERM; i=0; while [ ! -e /go ]; do i=$((i+1)); echo $i; done; printf 'end '; while :; do sleep 0.05; done"));
        var before = world.Containers.Inspect(id).State;
        var shim = await world.ShimPidAsync();
        await Shell.EventuallyAsync("output", () => world.OutputAsync(id), o => o.Length > 100);

        for (var upgrade = 0; upgrade < 3; upgrade++)
        {
            var threads = Threads(shim);
            await world.Host.UpgradeShimAsync(HostWorld.Soon);
            Assert.Equal(shim, await world.ShimPidAsync());
            Assert.DoesNotContain(Threads(shim).Where(t => t != shim), threads.Contains); // another program: the old one's threads are gone
        }

        var after = world.Containers.Inspect(id).State;
        Assert.Equal((true, before.Pid, before.StartedAt), (after.Running, after.Pid, after.StartedAt));
        await File.WriteAllTextAsync($"/proc/{before.Pid}/root/go", "");
        Assert.True(await world.Containers.StopAsync(id, TimeSpan.FromSeconds(20), null, HostWorld.Soon));
        Assert.Equal(5, world.Containers.Inspect(id).State.ExitCode);
        var lines = (await world.OutputAsync(id)).TrimEnd('\n').Split('\n');
        Assert.Equal("end bye", lines[^1]);
        Assert.Equal(Enumerable.Range(1, lines.Length - 1).Select(n => $"{n}"), lines[..^1]);
        // Still the parent of what it starts and of what it started.
        var next = await world.RunAsync(HostWorld.Script("exit 6"));
        Assert.Equal(6, (await world.EndAsync(next)).ExitCode);
    }

    [Fact]
    public async Task A_shim_that_cannot_be_replaced_goes_on_as_it_is_and_one_of_another_build_is_replaced_by_the_daemon()
    {
        RuntimeHost.NeedRoot();
        var instance = $"orch-up-{Environment.ProcessId}";
        var root = $"/tmp/{instance}-run";
        var program = Path.Combine(AppContext.BaseDirectory, "orch");
        await using var first = Daemon(program);
        await using (var host = new RuntimeHost(_ => new ShimRuntime(first)))
        {
            var running = await host.StartAsync(host.Shell("runs", "while [ ! -e /go ]; do sleep 0.02; done; exit 4"));
            var (found, shim) = (await ShimProcess.FindAsync(root, CancellationToken.None))!.Value;
            await found.DisposeAsync();
            await using (var wrong = Daemon("/nowhere/orch"))
            {
                var refused = await Assert.ThrowsAsync<ShimException>(() => wrong.UpgradeAsync(CancellationToken.None));
                Assert.Contains("/nowhere/orch", refused.Message, StringComparison.Ordinal);
            }
            Assert.Equal(running.Pid, (await host.Runtime.ListAsync(CancellationToken.None)).Single().Pid);

            var threads = Threads(shim.Pid);
            await using (var other = Daemon(program, "another"))
                await other.EnsureAsync(CancellationToken.None);
            Assert.DoesNotContain(Threads(shim.Pid).Where(t => t != shim.Pid), threads.Contains);
            var (connection, same) = (await ShimProcess.FindAsync(root, CancellationToken.None))!.Value;
            await connection.DisposeAsync();
            Assert.Equal((shim.Pid, ShimIdentity.ThisBuild), (same.Pid, same.Build));
            await File.WriteAllTextAsync($"/proc/{running.Pid}/root/go", "");
            Assert.Equal(4, (await host.ExitAsync("runs")).ExitCode);
        }
        await first.ShutdownAsync(CancellationToken.None);
        Directory.Delete(root, recursive: true);

        ShimProcess Daemon(string path, string? build = null) => new(
            new ShimCommand
            {
                Arguments = [path, "shim", "--exec-root", root], ExecRoot = root, CgroupPath = $"/{instance}/shim", Build = build ?? ShimIdentity.ThisBuild,
            },
            NullLogger.Instance);
    }

    private static HashSet<int> Threads(int pid) =>
        [.. Directory.EnumerateDirectories($"/proc/{pid}/task").Select(t => int.Parse(Path.GetFileName(t), System.Globalization.CultureInfo.InvariantCulture))];
}
