using Orchestrator.Cli.Client;

namespace Orchestrator.Tests.Unit.Cli.Client;

public sealed class EngineAddressTests
{
    private static readonly EngineFlags Nothing = new(null);

    [Fact]
    public void The_flag_is_before_ORCH_HOST_before_DOCKER_HOST_before_the_usual_socket()
    {
        var both = Environment(("ORCH_HOST", "unix:///a.sock"), ("DOCKER_HOST", "unix:///b.sock"));
        Assert.Equal(("unix:///c.sock", "-H"), Told(EngineAddress.Find(new EngineFlags("/c.sock"), both)));
        Assert.Equal(("unix:///a.sock", "ORCH_HOST"), Told(EngineAddress.Find(Nothing, both)));
        Assert.Equal(("unix:///b.sock", "DOCKER_HOST"), Told(EngineAddress.Find(Nothing, Environment(("ORCH_HOST", ""), ("DOCKER_HOST", "unix:///b.sock")))));
        Assert.Equal(("unix:///run/orch/orch.sock", "default"), Told(EngineAddress.Find(Nothing, Environment())));
    }

    [Theory]
    [InlineData("tcp://engine.example", "engine.example", 2376, "tcp://engine.example:2376")]
    [InlineData("tcp://192.0.2.7:99/", "192.0.2.7", 99, "tcp://192.0.2.7:99")]
    [InlineData("tcp://[2001:db8::7]:2377", "2001:db8::7", 2377, "tcp://[2001:db8::7]:2377")]
    public void A_daemon_may_be_over_TCP(string text, string host, int port, string url)
    {
        var address = EngineAddress.Find(new EngineFlags(text), Environment());
        Assert.Equal((host, port, url), (address.Tcp!.Host, address.Tcp.Port, address.Url));
    }

    [Fact]
    public void Its_files_are_looked_for_where_docker_has_them()
    {
        Assert.Equal(("/home/me/.docker/ca.pem", "/home/me/.docker/cert.pem", "/home/me/.docker/key.pem"), Files(Nothing, ("HOME", "/home/me")));
        Assert.Equal(("/d/ca.pem", "/d/cert.pem", "/d/key.pem"), Files(Nothing, ("HOME", "/home/me"), ("DOCKER_CERT_PATH", "/d")));
        Assert.Equal(("/o/ca.pem", "/o/cert.pem", "/o/key.pem"), Files(Nothing, ("ORCH_CERT_PATH", "/o"), ("DOCKER_CERT_PATH", "/d")));
        Assert.Equal(("/x", "/o/cert.pem", "/y"), Files(new EngineFlags(null, Verify: true, Authority: "/x", Key: "/y"), ("ORCH_CERT_PATH", "/o")));
    }

    [Theory]
    [InlineData("tcp://", "names no address")]
    [InlineData("tcp://:2376", "names no address")]
    [InlineData("tcp://h:0", "has '0' for a port")]
    [InlineData("tcp://h:x", "has 'x' for a port")]
    [InlineData("tcp://2001:db8::7", "an IPv6 address stands in brackets")]
    [InlineData("tcp://h:2376/v1", "has more than an address and a port")]
    [InlineData("ssh://h", "which is not an address: write unix:///PATH or tcp://HOST:PORT")]
    public void What_is_no_address_is_told_so(string text, string sentence) =>
        Assert.Contains(sentence, Refused(new EngineFlags(text)), StringComparison.Ordinal);

    [Fact]
    public void Flags_that_would_do_nothing_are_refused()
    {
        Assert.StartsWith("--tlsverify, --tlskey: for a daemon over TCP, and unix:///a.sock is a socket", Refused(new EngineFlags("/a.sock", Verify: true, Key: "k")), StringComparison.Ordinal);
        Assert.StartsWith("--tlsverify=false is refused", Refused(new EngineFlags("tcp://h", Verify: false)), StringComparison.Ordinal);
    }

    private static string Refused(EngineFlags flags) => Assert.Throws<EngineUnreachableException>(() => EngineAddress.Find(flags, Environment())).Message;

    private static (string Url, string ChosenBy) Told(EngineAddress address) => (address.Url, address.ChosenBy);

    private static (string Authority, string Certificate, string Key) Files(EngineFlags flags, params (string, string)[] variables)
    {
        var files = EngineAddress.Find(flags with { Host = "tcp://h" }, Environment(variables)).Tcp!.Files;
        return (files.Authority, files.Certificate, files.Key);
    }

    private static Dictionary<string, string> Environment(params (string Name, string Value)[] variables) => variables.ToDictionary(v => v.Name, v => v.Value, StringComparer.Ordinal);
}
