using Orchestrator.Tests.Integration.Cli;
using Orchestrator.Tests.Integration.Fixtures;
using Orchestrator.Worker.Images.Archives;

namespace Orchestrator.Tests.Integration.Volumes;

/// <summary>Volumes through the command lines: the stock client's and ours, against one daemon.</summary>
public sealed class VolumeTests : IAsyncLifetime
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
    public async Task A_volume_gets_what_the_image_has_there_with_owners_modes_and_attributes_and_outlives_its_containers()
    {
        await LoadAsync();
        Assert.Equal("", (await RunAsync("-v", "data:/srv", "seeded", "true")).Output);
        const string look = "stat -c '%n %u:%g %a' /srv /srv/www /srv/www/page /srv/www/link; cat /srv/www/page; readlink /srv/www/link";
        var seen = (await RunAsync("-v", "data:/srv", "seeded", "sh", "-c", look)).Output;
        Assert.Equal("/srv 33:33 750\n/srv/www 0:0 755\n/srv/www/page 33:33 640\n/srv/www/link 0:0 777\nhello\npage\n", seen);
        (await RunAsync("-v", "data:/srv", "seeded", "sh", "-c", "echo mine > /srv/www/page; rm /srv/www/link")).Succeeded();
        Assert.Equal("mine\n", (await RunAsync("-v", "data:/other", "busybox", "cat", "/other/www/page")).Output);
        Assert.Equal("", (await RunAsync("-v", "bare:/srv:nocopy", "seeded", "ls", "/srv")).Output);
        Assert.Equal("data\nbare\n".Split('\n').Order(), (await _host.DockerAsync("volume", "ls", "-q")).Succeeded().Output.Split('\n').Order());
    }

    [Fact]
    public async Task An_image_s_volume_is_anonymous_and_goes_with_rm_v_and_with_run_rm_but_not_with_rm()
    {
        await LoadAsync();
        (await _host.DockerAsync("run", "-d", "--name", "kept", "declared", "true")).Succeeded();
        (await _host.DockerAsync("run", "-d", "--name", "gone", "declared", "true")).Succeeded();
        (await RunAsync("declared", "true")).Succeeded();
        Assert.Equal(2, await CountAsync());
        (await _host.DockerAsync("wait", "kept", "gone")).Succeeded();
        (await _host.OrchAsync("rm", "-v", "gone")).Succeeded();
        (await _host.OrchAsync("rm", "kept")).Succeeded();
        Assert.Equal(1, await CountAsync());
        (await _host.DockerAsync("volume", "create", "named")).Succeeded();
        Assert.Contains("Total reclaimed space: 5B", (await _host.DockerAsync("volume", "prune", "-f")).Succeeded().Output, StringComparison.Ordinal);
        Assert.Equal("named\n", (await _host.OrchAsync("volume", "ls", "-q")).Output);
        Assert.Contains("named", (await _host.OrchAsync("volume", "prune", "-a", "-f")).Succeeded().Output, StringComparison.Ordinal);
        Assert.Equal(0, await CountAsync());
    }

    [Fact]
    public async Task Volumes_from_lends_mounts_and_a_volume_in_use_is_not_removed()
    {
        (await _host.DockerAsync("run", "-d", "--init", "--name", "lender", "-v", "data:/data", "busybox", "sh", "-c", "echo hi > /data/f; sleep 1000")).Succeeded();
        await Shell.EventuallyAsync("the file", () => RunAsync("--volumes-from", "lender:ro", "busybox", "cat", "/data/f"), r => r.Output == "hi\n");
        var refused = await RunAsync("--volumes-from", "lender:ro", "busybox", "sh", "-c", "echo no > /data/f");
        Assert.Contains("Read-only file system", refused.Error, StringComparison.Ordinal);
        var id = (await _host.DockerAsync("inspect", "--format", "{{.Id}}", "lender")).Output.Trim();
        var used = await _host.DockerAsync("volume", "rm", "data");
        Assert.Contains($"remove data: volume is in use - [{id}]", used.Error, StringComparison.Ordinal);
        Assert.Equal("lender\n", (await _host.DockerAsync("ps", "--filter", "volume=data", "--format", "{{.Names}}")).Output);
        (await _host.DockerAsync("rm", "-f", "lender")).Succeeded();
        Assert.Equal("data\n", (await _host.DockerAsync("volume", "ls", "-q", "--filter", "dangling=true")).Output);
        Assert.Equal("data\n", (await _host.OrchAsync("volume", "rm", "data")).Succeeded().Output);
        Assert.Contains("get data: no such volume", (await _host.DockerAsync("volume", "inspect", "data")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_device_is_mounted_for_the_first_container_and_unmounted_after_the_last()
    {
        (await _host.DockerAsync("volume", "create", "-o", "type=tmpfs", "-o", "device=tmpfs", "-o", "o=size=1m,mode=700", "memory")).Succeeded();
        async Task<bool> MountedAsync() => (await _host.InsideAsync("cat", "/proc/mounts")).Output.Contains("/volumes/memory/_data", StringComparison.Ordinal);
        Assert.False(await MountedAsync());
        foreach (var name in new[] { "m1", "m2" })
            (await _host.DockerAsync("run", "-d", "--init", "--name", name, "-v", "memory:/m", "busybox", "sleep", "1000")).Succeeded();
        Assert.True(await MountedAsync());
        (await _host.DockerAsync("kill", "m1")).Succeeded();
        (await _host.DockerAsync("rm", "m1")).Succeeded();
        Assert.True(await MountedAsync());
        await _host.KillDaemonAsync();
        await _host.StartDaemonAsync();
        Assert.True(await MountedAsync());
        (await _host.DockerAsync("kill", "m2")).Succeeded();
        await Shell.EventuallyAsync("the device unmounted", MountedAsync, mounted => !mounted);
        (await _host.DockerAsync("volume", "create", "-o", "type=nosuchfs", "-o", "device=/dev/none", "broken")).Succeeded();
        var failed = await RunAsync("-v", "broken:/b", "busybox", "true");
        Assert.Contains("mount volume broken: mount nosuchfs /dev/none on ", failed.Error, StringComparison.Ordinal);
        Assert.Contains("No such device", failed.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_subpath_is_what_it_names_inside_the_volume_wherever_its_links_point()
    {
        (await RunAsync("-v", "data:/d", "busybox", "sh", "-c", "mkdir -p /d/a/b; echo in > /d/a/b/f; ln -s /etc /d/out; ln -s /a/b /d/to-b")).Succeeded();
        Task<Ran> ThroughAsync(string subpath) => RunAsync("--mount", $"type=volume,source=data,target=/x,volume-subpath={subpath}", "busybox", "cat", "/x/f");
        Assert.Equal("in\n", (await ThroughAsync("a/b")).Output);
        Assert.Equal("in\n", (await ThroughAsync("to-b")).Output);
        Assert.Contains("the volume data has no \"out\"", (await ThroughAsync("out")).Error, StringComparison.Ordinal);
        Assert.Contains("the volume data has no \"none\"", (await ThroughAsync("none")).Error, StringComparison.Ordinal);
        Assert.Equal("", (await _host.InsideAsync("sh", "-c", $"grep .pin- /proc/mounts; ls {_host.Root}/data/volumes/.pin-* 2>/dev/null; true")).Output);
    }

    [Fact]
    public async Task A_stack_s_volume_is_made_by_its_first_task_and_stays_when_the_stack_goes()
    {
        var file = await CliHost.WriteAsync(_host, "db.yml", """
            services:
              db:
                image: busybox:latest
                init: true
                command: [sh, -c, "echo {{.Task.Slot}} >> /data/f; sleep 1000"]
                volumes: ["data:/data", "own:/own"]
            volumes:
              data: {labels: {tier: db}}
              own: {name: "{{.Service.Name}}-own"}
            """);
        (await _host.OrchAsync("stack", "deploy", "-c", file, "app")).Succeeded();
        var made = (await _host.GetAsync("/volumes/app_data")).GetProperty("Labels");
        Assert.Equal(("app", "db"), (made.GetProperty("com.docker.stack.namespace").GetString(), made.GetProperty("tier").GetString()));
        Assert.Equal("app_data\napp_db-own\n", (await _host.OrchAsync("volume", "ls", "-q")).Output);
        (await _host.OrchAsync("stack", "rm", "app")).Succeeded();
        await Shell.EventuallyAsync("no container", () => _host.OrchAsync("ps", "-aq"), r => r.Output.Length == 0);
        Assert.Equal("app_data\napp_db-own\n", (await _host.OrchAsync("volume", "ls", "-q")).Output);
    }

    [Fact]
    public async Task Listings_and_events_of_volumes_are_the_stock_client_s_to_the_letter()
    {
        (await _host.OrchAsync("volume", "create", "--label", "tier=db", "one")).Succeeded();
        (await RunAsync("-v", "two:/t", "busybox", "sh", "-c", "echo 12345 > /t/f")).Succeeded();
        string[][] tours =
        [
            ["volume", "ls"], ["volume", "ls", "--filter", "label=tier"], ["volume", "ls", "--format", "{{.Name}} {{.Driver}} {{.Mountpoint}} {{.Labels}}"],
            ["volume", "inspect", "--format", "{{.Name}} {{.Scope}} {{.Labels.tier}}", "one"], ["system", "df"],
        ];
        foreach (var tour in tours)
        {
            var stock = await _host.DockerAsync(tour);
            var ours = await _host.OrchAsync(tour);
            Assert.True((stock.ExitCode, stock.Output) == (ours.ExitCode, ours.Output), $"{stock}\n{ours}");
        }

        var events = (await _host.DockerAsync("events", "--since", "10m", "--until", Shell.Now, "--filter", "type=volume", "--format", "{{.Action}} {{.Actor.ID}}")).Succeeded().Output;
        Assert.Equal("create one\ncreate two\nmount two\nunmount two\n", events);
        Assert.Contains("volume driver \"nas\" is not there", (await _host.DockerAsync("volume", "create", "-d", "nas", "x")).Error, StringComparison.Ordinal);
    }

    /// <summary>Runs a container to its end with the stock client, without attaching, and gives its log.</summary>
    private async Task<Ran> RunAsync(params string[] arguments)
    {
        var created = await _host.DockerAsync(["create", .. arguments]);
        if (created.ExitCode != 0)
            return created;
        var id = created.Output.Trim();
        var started = await _host.DockerAsync("start", id);
        if (started.ExitCode == 0)
            (await _host.DockerAsync("wait", id)).Succeeded();
        var logs = started.ExitCode == 0 ? await _host.DockerAsync("logs", id) : started;
        (await _host.DockerAsync("rm", "-v", id)).Succeeded();
        return logs;
    }

    private async Task<int> CountAsync() => (await _host.DockerAsync("volume", "ls", "-q")).Succeeded().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length;

    private async Task LoadAsync()
    {
        var www = new[]
        {
            Owned(TestImages.Folder("srv", "750"), 33), TestImages.Folder("srv/www"), Owned(TestImages.TextFile("srv/www/page", "hello\n", "640"), 33),
            TestImages.Symlink("srv/www/link", "page"),
        };
        await LoadAsync(TestImages.Archive("seeded:latest", new() { Cmd = ["sh"] }, TestImages.BusyboxLayer, www));
        var volumes = System.Collections.Immutable.ImmutableSortedDictionary<string, Orchestrator.Worker.Images.EmptyObject>.Empty.Add("/data", new());
        await LoadAsync(TestImages.Archive("declared:latest", new() { Cmd = ["sh"], Volumes = volumes }, TestImages.BusyboxLayer, [TestImages.Folder("data"), TestImages.TextFile("data/f", "12345")]));
    }

    private static (TarEntry, byte[]) Owned((TarEntry Entry, byte[] Content) file, uint owner) => (file.Entry with { Uid = owner, Gid = owner }, file.Content);

    private async Task LoadAsync(byte[] archive)
    {
        var path = Path.Combine(_host.Root, $"{Guid.NewGuid():N}.tar");
        await File.WriteAllBytesAsync(path, archive);
        (await _host.OrchAsync("image", "load", "-i", path)).Succeeded();
    }
}
