using System.Security.Cryptography;
using Orchestrator.Tests.Integration.Fixtures;
using static Orchestrator.Tests.Integration.Fixtures.Terminal;

namespace Orchestrator.Tests.Integration.Cli;

/// <summary>The Engine API over TCP, by certificates on both sides: our client and the stock one against a real daemon, and strangers.</summary>
public sealed class SecureTests(ITestOutputHelper output) : IAsyncLifetime
{
    private static readonly string[] Clients = ["docker", "orch"];
    private readonly ApiCertificates _authority = new();
    private OrchHost _host = null!;

    private string Url => $"tcp://{_host.Address}:2376";

    private string Server => Path.Combine(_host.Root, "server");

    private string Operator => Path.Combine(_host.Root, "operator");

    public async ValueTask InitializeAsync()
    {
        StockClient.Require();
        _host = await CliHost.StartAsync();
        _authority.Give(Server, "daemon", [_host.Address, "engine.example"]);
        _authority.Give(Operator, "me");
        await RestartAsync(Server);
    }

    public ValueTask DisposeAsync() => _host?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Fact]
    public async Task Programs_run_over_TCP_as_over_the_socket()
    {
        foreach (var client in Clients)
        {
            (await AsOperatorAsync(client, null, "run", "-d", "--init", "--name", "box", "busybox", "sh", "-c", "echo begun; sleep 1000")).Succeeded();
            var ran = await AsOperatorAsync(client, "from here\n", "exec", "-i", "box", "sh", "-c", "cat; echo after the end; echo aside >&2; exit 7");
            Assert.Equal((7, "from here\nafter the end\n", "aside\n"), (ran.ExitCode, ran.Output, ran.Error));
            var typed = await Terminal.RunAsync(
                [.. Words(client, Operator), "run", "-it", "--rm", "busybox", "sh"],
                Expect("# "), Type("stty size; echo he''re; exit 5\n"), Expect("33 101"), Expect("here"));
            Assert.True(typed.ExitCode == 5, $"{typed}");
            var left = await Terminal.RunAsync([.. Words(client, Operator), "run", "-it", "--name", "left", "busybox", "sh"], Expect("# "), Type("\u0010\u0011"));
            Assert.True(left.ExitCode == 0, $"{left}");
            Assert.Equal("true\n", (await AsOperatorAsync(client, null, "inspect", "--format", "{{.State.Running}}", "left")).Output);
            var followed = await Terminal.RunAsync([.. Words(client, Operator), "logs", "-f", "box"], Expect("begun"), Type("\u0003"));
            Assert.Contains("begun", followed.Output, StringComparison.Ordinal);
            Assert.Contains("box", (await AsOperatorAsync(client, null, "ps")).Succeeded().Output, StringComparison.Ordinal);
            (await AsOperatorAsync(client, null, "rm", "-f", "box", "left")).Succeeded();
        }
    }

    [Fact]
    public async Task Every_byte_arrives_both_ways_whoever_ends_first()
    {
        var (there, back) = (Path.Combine(_host.Root, "there"), Path.Combine(_host.Root, "back"));
        await File.WriteAllBytesAsync(there, RandomNumberGenerator.GetBytes(24 << 20));
        var sent = await DigestAsync(there);
        (await _host.OrchAsync("run", "-d", "--init", "--name", "box", "busybox", "sleep", "1000")).Succeeded();
        foreach (var client in Clients)
        {
            var words = string.Join(' ', Words(client, Operator));
            (await AsOperatorAsync(client, null, "cp", there, "box:/there")).Succeeded();
            (await AsOperatorAsync(client, null, "cp", "box:/there", back)).Succeeded();
            Assert.Equal(sent, await DigestAsync(back));

            // The client's end of input, while output is on its way.
            (await Shell.RunAsync("sh", ["-c", $"{words} exec -i box cat <{there} >{back}"])).Succeeded();
            Assert.Equal(sent, await DigestAsync(back));

            // The program's end, with input that it never read and a client that reads late.
            var ran = (await Shell.RunAsync("sh", ["-c", $"yes | {words} exec -i box dd if=/dev/zero bs=1M count=1 2>/dev/null | (sleep 1; wc -c)"])).Succeeded();
            Assert.Equal("1048576", ran.Output.Trim());
        }
    }

    [Fact]
    public async Task A_stack_is_deployed_and_seen_over_TCP()
    {
        (await AsOperatorAsync("orch", null, "stack", "deploy", "-c", CliHost.Example("hello.yml"), "hello")).Succeeded();
        foreach (var client in Clients)
            Assert.Contains("hello", (await AsOperatorAsync(client, null, "stack", "ls")).Succeeded().Output, StringComparison.Ordinal);
        var asked = await Shell.RunAsync(Words("orch", Operator)[0], ["service", "ls", "-q"], environment: new Dictionary<string, string>
        {
            ["DOCKER_HOST"] = Url, ["DOCKER_CERT_PATH"] = Operator,
        });
        Assert.NotEmpty(asked.Succeeded().Output);
    }

    [Fact]
    public async Task Certificates_of_our_own_making_serve_both_clients_and_openssls_too()
    {
        var folder = Path.Combine(_host.Root, "pki");
        (await _host.OrchAsync("system", "certificates", folder, "--host", _host.Address, "--host", "engine.example", "--client", "ann")).Succeeded();
        (await _host.OrchAsync("system", "certificates", folder, "--client", "bob", "--days", "2")).Succeeded(); // by the same CA
        await RestartAsync(Path.Combine(folder, "server"));
        foreach (var client in Clients)
        {
            foreach (var who in (string[])["ann", "bob"])
                (await Shell.RunAsync(Words(client, Path.Combine(folder, who))[0], [.. Words(client, Path.Combine(folder, who))[1..], "ps"])).Succeeded();
        }

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(folder, "ca-key.pem")));
        var again = await _host.OrchAsync("system", "certificates", folder, "--host", "a b", "--client", "ann", "--client", "server", "--days", "0");
        Assert.Equal(1, again.ExitCode);
        foreach (var sentence in (string[])["--host: 'a b' is neither", "ann is there: remove it first", "--client: 'server' becomes a folder", "--days: 0 is none of"])
            Assert.Contains(sentence, again.Error, StringComparison.Ordinal);

        // What people have already: an RSA certificate without any extension, under the same CA.
        var rsa = Directory.CreateDirectory(Path.Combine(folder, "rsa")).FullName;
        File.Copy(Path.Combine(folder, "ca.pem"), Path.Combine(rsa, "ca.pem"));
        (await Shell.RunAsync("sh", ["-ec", $"cd {rsa}; openssl req -newkey rsa:2048 -nodes -subj /CN=carl -keyout key.pem -out csr.pem; openssl x509 -req -in csr.pem -CA ../ca.pem -CAkey ../ca-key.pem -CAcreateserial -days 2 -out cert.pem"])).Succeeded();
        foreach (var client in Clients)
            (await Shell.RunAsync(Words(client, rsa)[0], [.. Words(client, rsa)[1..], "ps"])).Succeeded();
    }

    [Fact]
    public async Task Strangers_are_told_what_they_lack()
    {
        var forger = new ApiCertificates();
        var expired = _authority.Give(Path.Combine(_host.Root, "expired"), "late", age: TimeSpan.FromDays(40));
        var forged = forger.Give(Path.Combine(_host.Root, "forged"), "me");
        File.Copy(Path.Combine(Operator, "ca.pem"), Path.Combine(forged, "ca.pem"), overwrite: true); // knows the daemon, is not known to it
        var bare = Directory.CreateDirectory(Path.Combine(_host.Root, "bare")).FullName;
        File.Copy(Path.Combine(Operator, "ca.pem"), Path.Combine(bare, "ca.pem"));

        foreach (var client in Clients)
            await RefusedAsync(client, forged, "the client's certificate 'CN=me' is not of the CA that this daemon believes");
        await RefusedAsync("docker", expired, "the client's certificate 'CN=late' expired at ");

        // Ours looks at its own files first.
        await RefusedAsync("orch", expired, $"--tlscert: {expired}/cert.pem: the certificate 'CN=late' expired at ");
        await RefusedAsync("orch", bare, $"--tlscert: {bare}/cert.pem is not there");
        var without = await Shell.RunAsync("curl", ["-sS", "--cacert", $"{bare}/ca.pem", $"https://{_host.Address}:2376/containers/json"]);
        Tell("curl without a certificate", without);
        Assert.Contains("the Engine API over TCP is for clients with a certificate, and this one shows none", without.Output, StringComparison.Ordinal);
        var plain = await Shell.RunAsync("docker", ["-H", Url, "ps"]);
        Tell("docker without TLS", plain);
        Assert.Contains("Error response from daemon: this port speaks TLS alone", plain.Error, StringComparison.Ordinal);
        var old = await Shell.RunAsync("curl", ["-sS", "--tls-max", "1.2", "--cacert", $"{bare}/ca.pem", $"https://{_host.Address}:2376/_ping"]);
        Tell("curl with TLS 1.2", old);
        Assert.NotEqual(0, old.ExitCode);

        // None of them has started anything, and a call that would take the connection over is refused alike.
        var hijack = await Shell.RunAsync("curl", ["-sS", "-X", "POST", "-H", "Connection: Upgrade", "-H", "Upgrade: tcp", "--cacert", $"{bare}/ca.pem", $"https://{_host.Address}:2376/containers/x/attach?stream=1"]);
        Assert.Contains("this one shows none", hijack.Output, StringComparison.Ordinal);
        Assert.Contains("is refused: the client's certificate 'CN=me' is not of the CA", _host.DaemonLog, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_daemon_that_is_not_the_one_meant_is_told_apart()
    {
        var forger = new ApiCertificates();
        var trusting = forger.Give(Path.Combine(_host.Root, "trusting"), "me");
        await RefusedAsync("orch", trusting, $"the daemon at {Url} is not believed: its certificate 'CN=daemon' is not of the CA in {trusting}/ca.pem");
        await RefusedAsync("docker", trusting, "certificate signed by unknown authority");
        await RestartAsync(_authority.Give(Path.Combine(_host.Root, "elsewhere"), "daemon", ["engine.example"]));
        await RefusedAsync("orch", Operator, $"its certificate is for engine.example and not for {_host.Address}: connect by one of these names");
        await RefusedAsync("docker", Operator, "certificate");

        var late = _authority.Give(Path.Combine(_host.Root, "late"), "daemon", [_host.Address], TimeSpan.FromDays(30) - TimeSpan.FromSeconds(30));
        await RestartAsync(late);
        await Shell.EventuallyAsync("the certificate's end", () => AsOperatorAsync("orch", null, "ps"), r => r.ExitCode != 0);
        await RefusedAsync("orch", Operator, "its certificate 'CN=daemon' expired at ");
        await _host.StopDaemonAsync();
        await RefusedAsync("orch", Operator, $"Cannot connect to the orch daemon at {Url}");
        var again = await _host.OrchInsideAsync(["daemon", "--data-root", $"{_host.Root}/data", "--exec-root", $"{_host.Root}/exec", "-H", "tcp://0.0.0.0", .. ApiCertificates.Flags(late).Split(' ')]);
        Tell("a daemon whose certificate has expired", again);
        Assert.Equal(1, again.ExitCode);
        Assert.Contains($"--tlscert: {late}/cert.pem: the certificate 'CN=daemon' expired at ", again.Error, StringComparison.Ordinal);
        await RestartAsync(Server);
        (await AsOperatorAsync("orch", null, "ps")).Succeeded();
    }

    private static async Task<string> DigestAsync(string file) => Convert.ToHexString(SHA256.HashData(await File.ReadAllBytesAsync(file)));

    private async Task RestartAsync(string files)
    {
        await _host.StopDaemonAsync();
        await _host.StartDaemonAsync($"-H tcp://{_host.Address}:2376 {ApiCertificates.Flags(files)}");
    }

    /// <summary>The words that begin a command over TCP with the files of a folder.</summary>
    private string[] Words(string client, string folder) =>
        [_host.Client(client)[0], "-H", Url, "--tlsverify", "--tlscacert", $"{folder}/ca.pem", "--tlscert", $"{folder}/cert.pem", "--tlskey", $"{folder}/key.pem"];

    private Task<Ran> AsOperatorAsync(string client, string? input, params string[] command) =>
        Shell.RunAsync(Words(client, Operator)[0], [.. Words(client, Operator)[1..], .. command], input);

    private async Task RefusedAsync(string client, string folder, string sentence)
    {
        var ran = await Shell.RunAsync(Words(client, folder)[0], [.. Words(client, folder)[1..], "ps"]);
        Tell($"{client} with {Path.GetFileName(folder)}", ran);
        Assert.NotEqual(0, ran.ExitCode);
        Assert.Contains(sentence, ran.Error, StringComparison.Ordinal);
    }

    private void Tell(string who, Ran ran) => output.WriteLine($"{who}: {(ran.Error.Length > 0 ? ran.Error : ran.Output).Trim()}");
}
