using System.Text.Json;
using Orchestrator.Tests.Integration.Fixtures;

namespace Orchestrator.Tests.Integration.Stacks;

/// <summary>Secrets and configs on a whole host, through orch and through the stock docker client.</summary>
public sealed class SecretTests : IAsyncLifetime
{
    private const string Needle = "n33dle-in-no-file";
    private OrchHost _host = null!;

    public async ValueTask InitializeAsync()
    {
        _host = await OrchHost.StartAsync();
        (await _host.OrchAsync("swarm", "init")).Succeeded();
        var archive = Path.Combine(_host.Root, "busybox.tar");
        await File.WriteAllBytesAsync(archive, TestImages.Busybox());
        (await _host.OrchAsync("load", "-i", archive)).Succeeded();
    }

    public ValueTask DisposeAsync() => _host?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Fact]
    public async Task A_stack_brings_its_secrets_and_configs_and_a_restarted_daemon_still_has_them()
    {
        await DeployAsync(Needle);
        var pid = (await _host.TaskPidsAsync("app_web")).Single().Value;
        Assert.Equal(Needle, await ReadAsync(pid, "/run/secrets/key"));
        Assert.Equal(Needle, await ReadAsync(pid, "/etc/token"));
        Assert.Equal("33 400", await StatAsync(pid, "/etc/token"));
        Assert.Equal("web is app_web, key " + Needle + ", where here\n", await ReadAsync(pid, "/page"));
        await NothingOnDiskAsync();

        await _host.KillDaemonAsync();
        await NothingOnDiskAsync();
        await _host.StartDaemonAsync();
        await Shell.EventuallyAsync("the task after the restart", () => _host.TaskPidsAsync("app_web"), pids => pids.Values.SingleOrDefault() == pid);
        Assert.Equal(Needle, await ReadAsync(pid, "/run/secrets/key"));

        // A task that is made after the restart gets them from the journal.
        (await _host.OrchAsync("service", "update", "--force", "app_web")).Succeeded();
        var next = (await Shell.EventuallyAsync("another task", () => _host.TaskPidsAsync("app_web"), p => p.Count == 1 && p.Values.Single() != pid)).Values.Single();
        Assert.Equal(Needle, await ReadAsync(next, "/run/secrets/key"));
        await NothingOnDiskAsync();
        Assert.DoesNotContain(Needle, _host.DaemonLog, StringComparison.Ordinal);

        var removed = (await _host.OrchAsync("stack", "rm", "app")).Succeeded();
        foreach (var line in new[] { "Removing secret app_key", "Removing config app_page", "Removing service app_web" })
            Assert.Contains(line, removed.Output, StringComparison.Ordinal);
        Assert.Equal(0, (await _host.GetAsync("/secrets")).GetArrayLength());
        Assert.Equal(0, (await _host.GetAsync("/configs")).GetArrayLength());
    }

    [Fact]
    public async Task Changed_data_is_refused_with_what_to_do_and_another_name_rolls_over()
    {
        await DeployAsync("one");
        var refused = await StackAsync("two");
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("secret app_key exists with other data: only updates to Labels are allowed", refused.Error, StringComparison.Ordinal);
        (await StackAsync("two", "name: app_key_v2", "--prune")).Succeeded();
        var pid = (await Shell.EventuallyAsync("one task", () => _host.TaskPidsAsync("app_web"), p => p.Count == 1)).Values.Single();
        Assert.Equal("two", await ReadAsync(pid, "/run/secrets/key"));
        Assert.Equal(["app_key_v2"], (await _host.GetAsync("/secrets")).EnumerateArray().Select(NameOf));
    }

    [Fact]
    public async Task The_stock_client_makes_uses_shows_and_removes_them()
    {
        var file = Path.Combine(_host.Root, "key");
        await File.WriteAllTextAsync(file, Needle);
        (await _host.DockerAsync("secret", "create", "--label", "tier=front", "key", file)).Succeeded();
        (await _host.DockerAsync("config", "create", "--template-driver", "golang", "page", await WriteAsync("page", "{{ .Service.Name }} has {{ secret \"key\" }}"))).Succeeded();
        var twice = await _host.DockerAsync("secret", "create", "key", file);
        Assert.Contains("secret key already exists", twice.Error, StringComparison.Ordinal);
        var listed = (await _host.DockerAsync("secret", "ls", "--filter", "label=tier", "--format", "{{.Name}} {{.Labels}}")).Succeeded();
        Assert.Equal("key tier=front\n", listed.Output);
        var inspected = (await _host.DockerAsync("secret", "inspect", "key")).Succeeded().Output;
        Assert.DoesNotContain("Data", inspected, StringComparison.Ordinal);
        Assert.Contains("Name:              key", (await _host.DockerAsync("secret", "inspect", "--pretty", "key")).Succeeded().Output, StringComparison.Ordinal);

        (await _host.DockerAsync(
            "service", "create", "--detach", "--name", "web", "--secret", "source=key,target=token,uid=33,mode=0400", "--config", "source=page,target=/srv/page",
            "busybox:latest", "sleep", "1000")).Succeeded();
        var pid = (await Shell.EventuallyAsync("a task", () => _host.TaskPidsAsync("web"), p => p.Count == 1)).Values.Single();
        Assert.Equal(Needle, await ReadAsync(pid, "/run/secrets/token"));
        Assert.Equal("33 400", await StatAsync(pid, "/run/secrets/token"));
        Assert.Equal("web has " + Needle, await ReadAsync(pid, "/srv/page"));
        var used = await _host.DockerAsync("secret", "rm", "key");
        Assert.Contains("secret 'key' is in use by the following service: web", used.Error, StringComparison.Ordinal);
        await NothingOnDiskAsync();

        (await _host.DockerAsync("service", "update", "--detach", "--secret-rm", "key", "--config-rm", "page", "web")).Succeeded();
        pid = (await Shell.EventuallyAsync("another task", () => _host.TaskPidsAsync("web"), p => p.Count == 1 && p.Values.Single() != pid)).Values.Single();
        Assert.False(File.Exists($"/proc/{pid}/root/run/secrets/token"));
        Assert.Equal("key\n", (await _host.DockerAsync("secret", "rm", "key")).Succeeded().Output);
        (await _host.DockerAsync("config", "rm", "page")).Succeeded();
    }

    [Fact]
    public async Task The_stock_clients_stack_deploy_makes_keeps_and_removes_them()
    {
        await WriteAsync("key.txt", "one");
        var file = await WriteAsync("stack.yml", """
            version: "3.8"
            services:
              web: { image: "busybox:latest", command: ["sleep", "1000"], secrets: [key], stop_grace_period: 1s }
            secrets:
              key: { file: ./key.txt }

            """);
        string[] deploy = ["stack", "deploy", "--detach", "--resolve-image", "never", "-c", file, "app"];
        (await _host.DockerAsync(deploy)).Succeeded();
        var pid = (await Shell.EventuallyAsync("a task", () => _host.TaskPidsAsync("app_web"), p => p.Count == 1)).Values.Single();
        Assert.Equal("one", await ReadAsync(pid, "/run/secrets/key"));
        (await _host.DockerAsync(deploy)).Succeeded();
        Assert.Equal(pid, (await _host.TaskPidsAsync("app_web")).Values.Single());
        await WriteAsync("key.txt", "two");
        Assert.Contains("only updates to Labels are allowed", (await _host.DockerAsync(deploy)).Error, StringComparison.Ordinal);
        (await _host.DockerAsync("stack", "rm", "app")).Succeeded();
        Assert.Equal(0, (await _host.GetAsync("/secrets")).GetArrayLength());
    }

    [Fact]
    public async Task The_command_line_does_the_same()
    {
        var id = (await Shell.RunAsync("sh", ["-ec", $"printf {Needle} | {_host.CommandLine} secret create -l a=b key -"])).Succeeded().Output.Trim();
        (await _host.OrchAsync("config", "create", "conf", await WriteAsync("conf", "clear"))).Succeeded();
        Assert.Equal($"{id} key\n", (await _host.OrchAsync("secret", "ls", "--format", "{{.ID}} {{.Name}}")).Succeeded().Output);
        var inspect = (await _host.OrchAsync("secret", "inspect", "key")).Succeeded().Output;
        using var json = JsonDocument.Parse(inspect);
        Assert.Equal("key", NameOf(json.RootElement[0]));
        Assert.DoesNotContain("Data", inspect, StringComparison.Ordinal);
        Assert.EndsWith("Data:\nclear\n", (await _host.OrchAsync("config", "inspect", "--pretty", "conf")).Succeeded().Output, StringComparison.Ordinal);
        Assert.Equal("b\n", (await _host.OrchAsync("inspect", "--type", "secret", "--format", "{{.Spec.Labels.a}}", "key")).Succeeded().Output);

        var missing = await _host.OrchAsync("service", "create", "--name", "no", "--secret", "other", "busybox:latest");
        Assert.Contains("secret not found: other", missing.Error, StringComparison.Ordinal);
        (await _host.OrchAsync("service", "create", "--name", "web", "--config", "conf", "busybox:latest", "sleep", "1000")).Succeeded();
        (await _host.OrchAsync("service", "update", "--secret-add", "source=key,target=/k,mode=0440", "web")).Succeeded();
        var pid = (await Shell.EventuallyAsync("one task", () => _host.TaskPidsAsync("web"), p => p.Count == 1)).Values.Single();
        Assert.Equal((Needle, "clear"), (await ReadAsync(pid, "/k"), await ReadAsync(pid, "/conf")));
        Assert.Equal("0 440", await StatAsync(pid, "/k"));
        (await _host.OrchAsync("service", "rm", "web")).Succeeded();
        Assert.Equal("key\n", (await _host.OrchAsync("secret", "rm", "key")).Succeeded().Output);
        Assert.Contains("secret key not found", (await _host.OrchAsync("secret", "rm", "key")).Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_template_that_cannot_be_filled_in_rejects_the_task_with_its_sentence()
    {
        (await _host.OrchAsync("config", "create", "--template-driver", "golang", "bad", await WriteAsync("bad", "{{ vault \"x\" }}"))).Succeeded();
        (await _host.OrchAsync("service", "create", "--detach", "--name", "web", "--config", "bad", "--restart-condition", "none", "busybox:latest", "sleep", "1000")).Succeeded();
        var ps = await Shell.EventuallyAsync(
            "a rejected task", () => _host.OrchAsync("service", "ps", "--no-trunc", "web"), r => r.Output.Contains("Rejected", StringComparison.Ordinal));
        Assert.Contains("expanding config failed: bad: line 1: function \"vault\" not defined", ps.Output, StringComparison.Ordinal);
    }

    private async Task DeployAsync(string key) => (await StackAsync(key)).Succeeded();

    private async Task<Ran> StackAsync(string key, string more = "labels: {}", params string[] flags)
    {
        await WriteAsync("key.txt", key);
        var file = await WriteAsync("stack.yml", $$$"""
            services:
              web:
                image: busybox:latest
                init: true
                command: ["sleep", "1000"]
                stop_grace_period: 2s
                environment: { WHERE: here }
                secrets:
                  - key
                  - { source: key, target: /etc/token, uid: 33, mode: 0400 }
                configs: [{ source: page, target: /page }]
            secrets:
              key:
                file: ./key.txt
                {{{more}}}
            configs:
              page:
                template_driver: golang
                content: |
                  web is {{ .Service.Name }}, key {{ secret "key" }}, where {{ env "WHERE" }}

            """);
        return await _host.OrchAsync(["stack", "deploy", "-c", file, .. flags, "app"]);
    }

    private async Task<string> WriteAsync(string name, string text)
    {
        var path = Path.Combine(_host.Root, name);
        await File.WriteAllTextAsync(path, text);
        return path;
    }

    /// <summary>Neither the bytes nor their base64 stand in any file below the daemon's roots.</summary>
    private async Task NothingOnDiskAsync()
    {
        var base64 = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(Needle)).TrimEnd('=')[..^2];
        var found = await _host.InsideAsync("grep", "-rl", "--devices=skip", "-e", Needle, "-e", base64, $"{_host.Root}/data", $"{_host.Root}/exec");
        Assert.Equal("", found.Output);
    }

    private static Task<string> ReadAsync(int pid, string path) => File.ReadAllTextAsync($"/proc/{pid}/root{path}");

    private static async Task<string> StatAsync(int pid, string path) =>
        (await Shell.RunAsync("stat", ["-c", "%u %a", $"/proc/{pid}/root{path}"])).Succeeded().Output.Trim();

    private static string NameOf(JsonElement item) => item.GetProperty("Spec").GetProperty("Name").GetString()!;
}
