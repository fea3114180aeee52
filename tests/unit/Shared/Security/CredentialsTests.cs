using System.Security.Cryptography;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Security;

namespace Orchestrator.Tests.Unit.Shared.Security;

public sealed class CredentialsTests : IDisposable
{
    private readonly string root = Directory.CreateTempSubdirectory("orch-credentials").FullName;
    private readonly TestCluster cluster = new();

    public void Dispose() => Directory.Delete(root, recursive: true);

    [Fact]
    public void Credentials_come_back_from_their_files_and_only_the_owner_reads_the_key()
    {
        var file = new NodeCredentialsFile(Path.Combine(root, "certificates"));
        Assert.Null(file.Read());
        var node = cluster.Node("node1", NodeRole.Manager);

        file.Write(node);

        var read = file.Read()!;
        Assert.Equal(node.Self, read.Self);
        Assert.Equal(node.ChainPem, read.ChainPem);
        Assert.Equal(node.RootsPem, read.RootsPem);
        Assert.True(read.Certificate.HasPrivateKey);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(file.Folder, "node.pem")));
    }

    [Fact]
    public void A_crash_between_the_files_leaves_credentials_that_work()
    {
        var file = new NodeCredentialsFile(root);
        var old = cluster.Node("node1", NodeRole.Worker);
        file.Write(old);
        var next = CertificateAuthority.Create(TestCluster.Start);
        var renewed = new TestCluster { Authority = next }.Node("node1", NodeRole.Worker);
        var before = File.ReadAllText(Path.Combine(root, "node.pem"));

        file.Write(renewed);
        File.WriteAllText(Path.Combine(root, "ca.pem"), renewed.RootsPem + old.RootsPem); // as the first rename leaves it
        Assert.Equal(renewed.Self, file.Read()!.Self);
        File.WriteAllText(Path.Combine(root, "node.pem"), before);
        Assert.Equal(old.Self, file.Read()!.Self);

        file.Write(renewed);
        Assert.Equal(renewed.RootsPem, File.ReadAllText(Path.Combine(root, "ca.pem")));
    }

    [Fact]
    public void Damaged_files_are_named()
    {
        var file = new NodeCredentialsFile(root);
        file.Write(cluster.Node("node1", NodeRole.Worker));
        File.WriteAllText(Path.Combine(root, "ca.pem"), new TestCluster().Authority.CertificatePem);

        Assert.Contains(root, Assert.Throws<CryptographicException>(() => file.Read()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_expired_certificate_can_still_be_read()
    {
        var file = new NodeCredentialsFile(root);
        var longAgo = TestCluster.Start.AddYears(-1);
        file.Write(new TestCluster { Authority = CertificateAuthority.Create(longAgo) }.Node("node1", NodeRole.Worker, longAgo, TimeSpan.FromDays(1)));

        Assert.Equal("node1", file.Read()!.NodeId.Value);
    }

    [Fact]
    public void A_certificate_for_another_key_is_not_taken()
    {
        using var mine = SigningRequest.Create();
        using var other = SigningRequest.Create();
        using var certificate = cluster.Authority.Issue(other.Der, new("node1"), NodeRole.Worker, "cluster", TestCluster.Start, TimeSpan.FromDays(1));

        Assert.Throws<CryptographicException>(
            () => NodeCredentials.Take(certificate.ExportCertificatePem(), cluster.Authority.CertificatePem, mine.Key, TestCluster.Start));
    }

    [Fact]
    public async Task A_box_tells_who_waits_of_the_next_credentials()
    {
        var first = cluster.Node("node1", NodeRole.Worker);
        var second = cluster.Node("node1", NodeRole.Manager);
        var box = new CredentialBox(first);
        var waiting = box.ChangedAsync(first, TestContext.Current.CancellationToken);
        Assert.False(waiting.IsCompleted);

        box.Replace(second);

        Assert.Same(second, await waiting);
        Assert.Same(second, box.Current);
        Assert.Same(second, await box.ChangedAsync(first, TestContext.Current.CancellationToken));
        using var stop = new CancellationTokenSource();
        var left = box.ChangedAsync(second, stop.Token);
        stop.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => left);
    }
}
