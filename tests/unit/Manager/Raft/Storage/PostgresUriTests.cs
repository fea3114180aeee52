using Npgsql;
using Orchestrator.Manager.Raft.Storage;

namespace Orchestrator.Tests.Unit.Manager.Raft.Storage;

public sealed class PostgresUriTests
{
    [Fact]
    public void Every_part_is_read_and_unescaped()
    {
        var read = PostgresUri.Read("postgresql://an%40a:s%3Acret@db.example:6543/jour%20nal?sslmode=verify-full&sslrootcert=/etc/ca.pem&connect_timeout=3");
        Assert.Equal(("an@a", "s:cret", "db.example", 6543, "jour nal"), (read.Username, read.Password, read.Host, read.Port, read.Database));
        Assert.Equal((SslMode.VerifyFull, "/etc/ca.pem", 3), (read.SslMode, read.RootCertificate, read.Timeout));
    }

    [Fact]
    public void A_socket_is_named_by_its_directory_and_a_port_is_the_usual_one()
    {
        var read = PostgresUri.Read("postgres:///journal?host=/run/postgresql&user=orch&passfile=/etc/orch/pgpass");
        Assert.Equal(("/run/postgresql", 5432, "orch", "/etc/orch/pgpass"), (read.Host, read.Port, read.Username, read.Passfile));
    }

    [Fact]
    public void Everything_that_is_wrong_is_told_at_once_and_the_password_never()
    {
        Assert.False(PostgresUri.TryRead("postgres://:hunter2@h?sslmode=maybe&port=no&colour=red", out _, out var problems));
        Assert.Equal(5, problems.Count);
        Assert.DoesNotContain(problems, p => p.Contains("hunter2", StringComparison.Ordinal));
    }
}
