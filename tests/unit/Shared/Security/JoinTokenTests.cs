using Orchestrator.Shared.Security;

namespace Orchestrator.Tests.Unit.Shared.Security;

public sealed class JoinTokenTests
{
    private static readonly string Secret = JoinToken.NewSecret(new byte[17]);

    [Fact]
    public void A_token_has_Swarms_form_and_reads_back()
    {
        var token = JoinToken.Of(CertificateAuthority.Create(TestCluster.Start).Root, JoinToken.NewSecret([.. Enumerable.Repeat((byte)255, 17)]));

        Assert.Matches("^SWMTKN-1-[0-9a-z]{50}-[0-9a-z]{25}$", token.Reveal());
        Assert.Equal(token, JoinToken.Parse(token.Reveal()));
        Assert.Equal(token, JoinToken.Parse($" {token.Reveal()}\n"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("SWMTKN-2-00000000000000000000000000000000000000000000000000-0000000000000000000000000")]
    [InlineData("SWMTKN-1-0-0")]
    [InlineData("SWMTKN-1-0000000000000000000000000000000000000000000000000A-0000000000000000000000000")]
    [InlineData("SWMTKN-1-00000000000000000000000000000000000000000000000000-000000000000000000000000")]
    public void What_is_no_token_is_told_the_form(string text) =>
        Assert.Contains("SWMTKN-1-", Assert.Throws<FormatException>(() => JoinToken.Parse(text)).Message, StringComparison.Ordinal);

    [Fact]
    public void Its_text_in_logs_has_no_secret()
    {
        var token = JoinToken.Of(CertificateAuthority.Create(TestCluster.Start).Root, Secret);

        Assert.DoesNotContain(Secret, $"{token}", StringComparison.Ordinal);
    }

    [Fact]
    public void The_digest_is_the_certificates_and_not_its_names()
    {
        var one = CertificateAuthority.Create(TestCluster.Start);
        var other = CertificateAuthority.Create(TestCluster.Start);

        Assert.Equal(one.Root.Subject, other.Root.Subject);
        Assert.NotEqual(JoinToken.Digest(one.Root), JoinToken.Digest(other.Root));
    }
}
