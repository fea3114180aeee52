using Orchestrator.Tests.Integration.Cli;
using Orchestrator.Tests.Integration.Fixtures;

namespace Orchestrator.Tests.Integration.Volumes;

/// <summary>Files in and out of containers, and what they changed.</summary>
public sealed class FileTests : IAsyncLifetime
{
    private OrchHost _host = null!;
    private readonly ScratchFolder _scratch = new();

    public async ValueTask InitializeAsync()
    {
        Assert.SkipUnless(
            (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(d => File.Exists(Path.Combine(d, "docker"))), "needs the docker client on PATH");
        _host = await CliHost.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        _scratch.Dispose();
        if (_host is not null)
            await _host.DisposeAsync();
    }

    [Theory]
    [InlineData("orch", "running")]
    [InlineData("orch", "created")]
    [InlineData("docker", "running")]
    [InlineData("docker", "created")]
    public async Task Files_go_in_and_come_out_through_volumes_whether_it_runs_or_not(string client, string state)
    {
        (await _host.DockerAsync("create", "--init", "--name", "c", "-v", "data:/data", "--tmpfs", "/mem", "busybox", "sleep", "1000")).Succeeded();
        if (state == "running")
            (await _host.DockerAsync("start", "c")).Succeeded();
        Directory.CreateDirectory(_scratch.At("tree/sub"));
        await File.WriteAllTextAsync(_scratch.At("tree/sub/f"), "content");
        File.CreateSymbolicLink(_scratch.At("tree/link"), "sub/f");
        File.SetUnixFileMode(_scratch.At("tree/sub/f"), UnixFileMode.UserRead | UnixFileMode.UserExecute);

        await CopyAsync(client, _scratch.At("tree"), "c:/data");          // a directory that exists: into it
        await CopyAsync(client, _scratch.At("tree"), "c:/tmp/renamed");   // one that does not: under its name
        await CopyAsync(client, _scratch.At("tree/."), "c:/var/www");     // its content
        await CopyAsync(client, _scratch.At("tree/sub/f"), "c:/etc/one"); // a file under another name
        await CopyAsync(client, "c:/data/tree", _scratch.At("back"));
        Assert.Equal("content", await File.ReadAllTextAsync(_scratch.At("back/sub/f")));
        Assert.Equal("sub/f", new FileInfo(_scratch.At("back/link")).LinkTarget);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserExecute, File.GetUnixFileMode(_scratch.At("back/sub/f")));
        foreach (var (there, here) in new[] { ("/tmp/renamed/sub/f", "1"), ("/var/www/link", "2"), ("/etc/one", "3") })
            await CopyAsync(client, $"c:{there}", _scratch.At(here));
        Assert.Equal("content", await File.ReadAllTextAsync(_scratch.At("1")));
        Assert.Equal("sub/f", new FileInfo(_scratch.At("2")).LinkTarget);
        Assert.Equal("content", await File.ReadAllTextAsync(_scratch.At("3")));

        // What went to the volume is in the volume.
        Assert.True(File.Exists($"{_host.Root}/data/volumes/data/_data/tree/sub/f"));
        if (state == "created")
            (await _host.DockerAsync("start", "c")).Succeeded();
        Assert.Equal("running\n", (await _host.OrchAsync("inspect", "--format", "{{.State.Status}}", "c")).Output);
    }

    [Fact]
    public async Task A_link_of_the_container_never_leads_to_the_host()
    {
        (await _host.DockerAsync("run", "-d", "--init", "--name", "c", "busybox", "sh", "-c", "ln -s / /up; ln -s ../../../../../../.. /tmp/far; ln -s /etc/hostname /tmp/name; sleep 1000")).Succeeded();
        var secret = _scratch.At("secret");
        await File.WriteAllTextAsync(secret, "the host's");
        await Shell.EventuallyAsync("the links", () => _host.OrchAsync("cp", "c:/tmp/name", _scratch.At("l")), r => r.ExitCode == 0);
        foreach (var path in new[] { $"c:/up{secret}", $"c:/tmp/far{secret}", $"c:/proc/1/root{secret}", "c:/proc/self/root/etc" })
        {
            var ran = await _host.OrchAsync("cp", path, _scratch.At("stolen"));
            Assert.True(ran.ExitCode == 1 && !Path.Exists(_scratch.At("stolen")), $"{ran}");
        }

        await File.WriteAllTextAsync(_scratch.At("in"), "from the host");
        (await _host.OrchAsync("cp", _scratch.At("in"), "c:/tmp/far/landed")).Succeeded();
        Assert.False(File.Exists("/landed"));
        (await _host.OrchAsync("cp", "-L", "c:/tmp/name", _scratch.At("followed"))).Succeeded();
        Assert.Equal((await _host.DockerAsync("inspect", "--format", "{{.Config.Hostname}}", "c")).Output, await File.ReadAllTextAsync(_scratch.At("followed")));
    }

    [Fact]
    public async Task What_takes_no_writes_or_does_not_fit_is_refused_in_dockers_words()
    {
        (await _host.DockerAsync("create", "--name", "c", "--read-only", "-v", "data:/data:ro", "busybox", "true")).Succeeded();
        await File.WriteAllTextAsync(_scratch.At("f"), "x");
        Assert.Contains("read-only", (await _host.OrchAsync("cp", _scratch.At("f"), "c:/tmp")).Error, StringComparison.Ordinal);
        Assert.Contains("read-only", (await _host.OrchAsync("cp", _scratch.At("f"), "c:/data")).Error, StringComparison.Ordinal);
        Assert.Contains("Could not find the file /nope in container c", (await _host.OrchAsync("cp", "c:/nope", _scratch.At("g"))).Error, StringComparison.Ordinal);
        (await _host.DockerAsync("create", "--name", "w", "busybox", "true")).Succeeded();
        Directory.CreateDirectory(_scratch.At("passwd"));
        Assert.Contains("cannot overwrite non-directory \"/etc/passwd\" with directory", (await _host.DockerAsync("cp", _scratch.At("passwd"), "w:/etc")).Error, StringComparison.Ordinal);
        Assert.Contains("No such container: gone", (await _host.OrchAsync("cp", "gone:/x", _scratch.At("g"))).Error, StringComparison.Ordinal);
        Assert.Contains("copying between containers is not supported", (await _host.OrchAsync("cp", "w:/x", "c:/y")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Archives_go_through_pipes()
    {
        (await _host.DockerAsync("create", "--name", "c", "busybox", "true")).Succeeded();
        await File.WriteAllTextAsync(_scratch.At("f"), "piped");
        (await Shell.RunAsync("sh", ["-ec", $"tar -C {_scratch.Path} -cf - f | {_host.CommandLine} cp - c:/tmp; {_host.CommandLine} cp c:/tmp/f - | tar -C {_scratch.Path} --transform=s/f/g/ -xf -"])).Succeeded();
        Assert.Equal("piped", await File.ReadAllTextAsync(_scratch.At("g")));
        Assert.Contains("must be a directory", (await Shell.RunAsync("sh", ["-c", $"echo x | {_host.CommandLine} cp - c:/etc/passwd"])).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Changes_are_those_of_the_container_alone()
    {
        (await _host.DockerAsync("run", "-d", "--name", "c", "-v", "/v", "busybox", "sh", "-c",
            "echo x > /new; mkdir /tmp/d; echo y > /tmp/d/f; rm /var/www -r; echo z >> /etc/passwd; chmod 700 /root; touch /v/f; rm -r /usr; mkdir /usr; touch /usr/u")).Succeeded();
        (await _host.DockerAsync("wait", "c")).Succeeded();
        string[] wanted = ["C /etc", "C /etc/passwd", "A /new", "C /tmp", "A /tmp/d", "A /tmp/d/f", "C /usr", "A /usr/u", "C /var", "D /var/www"];
        Assert.Equal(wanted, (await _host.OrchAsync("diff", "c")).Succeeded().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(wanted, (await _host.DockerAsync("diff", "c")).Succeeded().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task A_container_becomes_an_image_or_a_tar_and_has_a_size()
    {
        (await _host.DockerAsync("run", "-d", "--name", "c", "-e", "A=1", "busybox", "sh", "-c", "printf 12345 > /new; rm /etc/group")).Succeeded();
        (await _host.DockerAsync("wait", "c")).Succeeded();
        var id = (await _host.OrchAsync("commit", "-m", "mine", "-c", "ENV B=2", "-c", "CMD [\"cat\", \"/new\"]", "c", "made:1")).Succeeded().Output.Trim();
        Assert.Equal($"{id} mine\n", (await _host.DockerAsync("image", "inspect", "--format", "{{.Id}} {{.Comment}}", "made:1")).Output);
        (await _host.DockerAsync("run", "-d", "--name", "d", "made:1")).Succeeded();
        (await _host.DockerAsync("wait", "d")).Succeeded();
        Assert.Equal("12345", (await _host.DockerAsync("logs", "d")).Output);
        Assert.Contains("[\"A=1\",", (await _host.DockerAsync("inspect", "--format", "{{json .Config.Env}}", "d")).Output, StringComparison.Ordinal);

        var listed = (await Shell.RunAsync("sh", ["-ec", $"{_host.CommandLine} export c | tar -tf -"])).Succeeded().Output.Split('\n');
        Assert.Contains("new", listed);
        Assert.Contains("bin/busybox", listed);
        Assert.DoesNotContain("etc/group", listed);
        Assert.Equal("5", (await _host.DockerAsync("inspect", "-s", "--format", "{{.SizeRw}}", "c")).Output.Trim());
        Assert.StartsWith("5B (virtual ", (await _host.DockerAsync("ps", "-as", "--filter", "name=^c$", "--format", "{{.Size}}")).Output, StringComparison.Ordinal);
        Assert.Contains("Total reclaimed space: 5B", (await _host.OrchAsync("system", "prune", "-f")).Succeeded().Output, StringComparison.Ordinal);
    }

    private async Task CopyAsync(string client, string from, string to)
    {
        if (client == "orch")
            (await _host.OrchAsync("cp", "-q", from, to)).Succeeded();
        else
            (await _host.DockerAsync("cp", "-q", from, to)).Succeeded();
    }
}
