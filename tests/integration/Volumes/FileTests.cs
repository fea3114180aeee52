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
        (await _host.DockerAsync("create", "--init", "--name", "cc", "-v", "data:/data", "--tmpfs", "/mem", "busybox", "sleep", "1000")).Succeeded();
        if (state == "running")
            (await _host.DockerAsync("start", "cc")).Succeeded();
        Directory.CreateDirectory(_scratch.At("tree/sub"));
        await File.WriteAllTextAsync(_scratch.At("tree/sub/f"), "content");
        File.CreateSymbolicLink(_scratch.At("tree/link"), "sub/f");
        File.SetUnixFileMode(_scratch.At("tree/sub/f"), UnixFileMode.UserRead | UnixFileMode.UserExecute);

        await CopyAsync(client, _scratch.At("tree"), "cc:/data");          // a directory that exists: into it
        await CopyAsync(client, _scratch.At("tree"), "cc:/tmp/renamed");   // one that does not: under its name
        await CopyAsync(client, _scratch.At("tree/."), "cc:/var/www");     // its content
        await CopyAsync(client, _scratch.At("tree/sub/f"), "cc:/etc/one"); // a file under another name
        await CopyAsync(client, "cc:/data/tree", _scratch.At("back"));
        Assert.Equal("content", await File.ReadAllTextAsync(_scratch.At("back/sub/f")));
        Assert.Equal("sub/f", new FileInfo(_scratch.At("back/link")).LinkTarget);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserExecute, File.GetUnixFileMode(_scratch.At("back/sub/f")));
        foreach (var (there, here) in new[] { ("/tmp/renamed/sub/f", "1"), ("/var/www/link", "2"), ("/etc/one", "3") })
            await CopyAsync(client, $"cc:{there}", _scratch.At(here));
        Assert.Equal("content", await File.ReadAllTextAsync(_scratch.At("1")));
        Assert.Equal("sub/f", new FileInfo(_scratch.At("2")).LinkTarget);
        Assert.Equal("content", await File.ReadAllTextAsync(_scratch.At("3")));

        // What went to the volume is in the volume.
        Assert.True(File.Exists($"{_host.Root}/data/volumes/data/_data/tree/sub/f"));
        if (state == "created")
            (await _host.DockerAsync("start", "cc")).Succeeded();
        Assert.Equal("running\n", (await _host.OrchAsync("inspect", "--format", "{{.State.Status}}", "cc")).Output);
    }

    [Fact]
    public async Task A_link_of_the_container_never_leads_to_the_host()
    {
        (await _host.DockerAsync("run", "-d", "--init", "--name", "cc", "busybox", "sh", "-c", "ln -s / /up; ln -s ../../../../../../.. /tmp/far; ln -s /etc/hostname /tmp/name; sleep 1000")).Succeeded();
        var secret = _scratch.At("secret");
        await File.WriteAllTextAsync(secret, "the host's");
        await Shell.EventuallyAsync("the links", () => _host.OrchAsync("cp", "cc:/tmp/name", _scratch.At("l")), r => r.ExitCode == 0);
        foreach (var path in new[] { $"cc:/up{secret}", $"cc:/tmp/far{secret}", $"cc:/proc/1/root{secret}", "cc:/proc/self/root/etc" })
        {
            var ran = await _host.OrchAsync("cp", path, _scratch.At("stolen"));
            Assert.True(ran.ExitCode == 1 && !Path.Exists(_scratch.At("stolen")), $"{ran}");
        }

        await File.WriteAllTextAsync(_scratch.At("in"), "from the host");
        (await _host.OrchAsync("cp", _scratch.At("in"), "cc:/tmp/far/landed")).Succeeded();
        Assert.False(File.Exists("/landed"));
        (await _host.OrchAsync("cp", "-L", "cc:/tmp/name", _scratch.At("followed"))).Succeeded();
        Assert.Equal((await _host.DockerAsync("inspect", "--format", "{{.Config.Hostname}}", "cc")).Output, await File.ReadAllTextAsync(_scratch.At("followed")));
    }

    [Fact]
    public async Task What_takes_no_writes_or_does_not_fit_is_refused_in_dockers_words()
    {
        (await _host.DockerAsync("create", "--name", "cc", "--read-only", "-v", "data:/data:ro", "busybox", "true")).Succeeded();
        await File.WriteAllTextAsync(_scratch.At("f"), "x");
        Assert.Contains("read-only", (await _host.OrchAsync("cp", _scratch.At("f"), "cc:/tmp")).Error, StringComparison.Ordinal);
        Assert.Contains("read-only", (await _host.OrchAsync("cp", _scratch.At("f"), "cc:/data")).Error, StringComparison.Ordinal);
        Assert.Contains("Could not find the file /nope in container cc", (await _host.OrchAsync("cp", "cc:/nope", _scratch.At("g"))).Error, StringComparison.Ordinal);
        (await _host.DockerAsync("create", "--name", "ww", "busybox", "true")).Succeeded();
        Directory.CreateDirectory(_scratch.At("passwd"));
        Assert.Contains("cannot overwrite non-directory \"/etc/passwd\" with directory", (await _host.DockerAsync("cp", _scratch.At("passwd"), "ww:/etc")).Error, StringComparison.Ordinal);
        Assert.Contains("No such container: gone", (await _host.OrchAsync("cp", "gone:/x", _scratch.At("g"))).Error, StringComparison.Ordinal);
        Assert.Contains("copying between containers is not supported", (await _host.OrchAsync("cp", "ww:/x", "cc:/y")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Archives_go_through_pipes()
    {
        (await _host.DockerAsync("create", "--name", "cc", "busybox", "true")).Succeeded();
        await File.WriteAllTextAsync(_scratch.At("f"), "piped");
        (await Shell.RunAsync("sh", ["-ec", $"tar -C {_scratch.Path} -cf - f | {_host.CommandLine} cp - cc:/tmp; {_host.CommandLine} cp cc:/tmp/f - | tar -C {_scratch.Path} --transform=s/f/g/ -xf -"])).Succeeded();
        Assert.Equal("piped", await File.ReadAllTextAsync(_scratch.At("g")));
        Assert.Contains("must be a directory", (await Shell.RunAsync("sh", ["-c", $"echo x | {_host.CommandLine} cp - cc:/etc/passwd"])).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Changes_are_those_of_the_container_alone()
    {
        (await _host.DockerAsync("run", "-d", "--name", "cc", "-v", "/v", "busybox", "sh", "-c",
            "echo x > /new; mkdir /tmp/d; echo y > /tmp/d/f; rm /var/www -r; echo z >> /etc/passwd; chmod 700 /root; touch /v/f; rm -r /usr; mkdir /usr; touch /usr/u")).Succeeded();
        (await _host.DockerAsync("wait", "cc")).Succeeded();
        string[] wanted = ["C /etc", "C /etc/passwd", "A /new", "C /tmp", "A /tmp/d", "A /tmp/d/f", "C /usr", "A /usr/u", "C /var", "D /var/www"];
        Assert.Equal(wanted, (await _host.OrchAsync("diff", "cc")).Succeeded().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(wanted, (await _host.DockerAsync("diff", "cc")).Succeeded().Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task A_container_becomes_an_image_or_a_tar_and_has_a_size()
    {
        (await _host.DockerAsync("run", "-d", "--name", "cc", "-e", "A=1", "busybox", "sh", "-c", "printf 12345 > /new; rm /etc/group")).Succeeded();
        (await _host.DockerAsync("wait", "cc")).Succeeded();
        var id = (await _host.OrchAsync("commit", "-m", "mine", "-c", "ENV B=2", "-c", "CMD [\"cat\", \"/new\"]", "cc", "made:1")).Succeeded().Output.Trim();
        Assert.Equal($"{id} mine\n", (await _host.DockerAsync("image", "inspect", "--format", "{{.Id}} {{.Comment}}", "made:1")).Output);
        (await _host.DockerAsync("run", "-d", "--name", "dd", "made:1")).Succeeded();
        (await _host.DockerAsync("wait", "dd")).Succeeded();
        Assert.Equal("12345", (await _host.DockerAsync("logs", "dd")).Output);
        Assert.Contains("[\"A=1\",", (await _host.DockerAsync("inspect", "--format", "{{json .Config.Env}}", "dd")).Output, StringComparison.Ordinal);

        var listed = (await Shell.RunAsync("sh", ["-ec", $"{_host.CommandLine} export cc | tar -tf -"])).Succeeded().Output.Split('\n');
        Assert.Contains("new", listed);
        Assert.Contains("bin/busybox", listed);
        Assert.DoesNotContain("etc/group", listed);
        Assert.Equal("5", (await _host.DockerAsync("inspect", "-s", "--format", "{{.SizeRw}}", "cc")).Output.Trim());
        Assert.StartsWith("5B (virtual ", (await _host.DockerAsync("ps", "-as", "--filter", "name=^cc$", "--format", "{{.Size}}")).Output, StringComparison.Ordinal);
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
