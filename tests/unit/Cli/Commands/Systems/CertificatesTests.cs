using Orchestrator.Cli.Commands.Systems;

namespace Orchestrator.Tests.Unit.Cli.Commands.Systems;

public sealed class CertificatesTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("orch-pki").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Names_addresses_and_several_clients_are_fine() =>
        Assert.Empty(CertificatesCommand.Check(_folder, ["engine.example", "192.0.2.7", "[2001:db8::7]", "2001:db8::8"], ["ann", "bob.smith"], 365));

    [Fact]
    public void Everything_that_is_wrong_is_told_before_anything_is_made()
    {
        File.WriteAllText(Path.Combine(_folder, "ca.pem"), "");
        Directory.CreateDirectory(Path.Combine(_folder, "ann"));
        var problems = CertificatesCommand.Check(_folder, ["tcp://h:1", "a b"], ["ann", "../bob", "server", "eve", "eve"], 4000);
        Assert.Equal(
            ["--client", "--client", "--client", "--client", "--days", "--host", "--host", "FOLDER"],
            problems.Select(p => p.Where).Order(StringComparer.Ordinal));
        Assert.Contains(problems, p => p.Message.EndsWith("ca-key.pem is missing beside the other half of the CA: bring it back, or begin in another folder", StringComparison.Ordinal));
        Assert.Contains("say for whom", Assert.Single(CertificatesCommand.Check(Path.Combine(_folder, "new"), [], [], 1)).Message, StringComparison.Ordinal);
    }
}
