using Npgsql;
using Orchestrator.Manager.Raft.Storage;

namespace Orchestrator.Tests.Integration.Raft;

/// <summary>The claims over a real server, and what a server adds: it can go away, and two can reach it.</summary>
public sealed class PostgresJournalTests : JournalClaims, IClassFixture<PostgresServer>
{
    private readonly PostgresServer server;

    public PostgresJournalTests(PostgresServer server)
    {
        this.server = server;
        try
        {
            Tamper("DROP SCHEMA IF EXISTS orch CASCADE");
        }
        catch
        {
            Dispose(); // nobody else does when a constructor throws
            throw;
        }
    }

    private protected override JournalOptions Options => base.Options with { Server = server.Uri };

    [Fact]
    public async Task Two_nodes_share_a_server_without_seeing_each_other()
    {
        await using var other = Journals.Open(Options with { Directory = Root["other"], PersistenceId = "other" });
        await using var ours = Journal();
        await Task.WhenAll(other.OpenAsync(default), ours.OpenAsync(default));
        await Task.WhenAll(other.WriteAsync(Write(Entry(1, 1, "other"))), ours.WriteAsync(Write(Entry(1, 1), Entry(2, 1))));
        await ours.DisposeAsync();
        Assert.Equal(2, (await ReopenAsync()).Entries.Count);
    }

    [Fact]
    public async Task Writes_wait_while_the_server_is_away_and_go_on_when_it_is_back()
    {
        await using var journal = Journal();
        await journal.OpenAsync(default);
        await journal.WriteAsync(Write(Entry(1, 1)));
        server.Crash();
        var waiting = journal.WriteAsync(Write(Entry(2, 1)));
        var after = journal.WriteAsync(Write(Entry(3, 1)));
        Assert.False(waiting.IsCompleted);
        server.Start();
        await Task.WhenAll(waiting, after);
        await journal.DisposeAsync();
        Assert.Equal([1ul, 2ul, 3ul], (await ReopenAsync()).Entries.Select(e => e.Index));
    }

    [Fact]
    public async Task Crashes_of_the_server_under_load_lose_nothing_acknowledged_and_write_nothing_twice()
    {
        await using var journal = Journal();
        await journal.OpenAsync(default);
        using var stop = new CancellationTokenSource();
        var acknowledged = 0ul;
        var load = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                await journal.WriteAsync(Write(Entry(acknowledged + 1, 1)));
                acknowledged++;
            }
        });
        for (var n = 0; n < 5; n++)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(150 + (37 * n)), TimeProvider.System);
            server.Crash();
            server.Start();
        }

        stop.Cancel();
        await load;
        await journal.DisposeAsync();
        Assert.True(acknowledged > 50);
        Assert.Equal(acknowledged, (ulong)(await ReopenAsync()).Entries.Count);
    }

    [Fact]
    public async Task A_session_that_the_server_ends_is_made_anew()
    {
        await using var journal = Journal();
        await journal.OpenAsync(default);
        await journal.WriteAsync(Write(Entry(1, 1)));
        Tamper("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'orch'");
        await journal.WriteAsync(Write(Entry(2, 1)));
    }

    [Fact]
    public async Task A_server_that_stays_away_breaks_the_journal_with_a_sentence()
    {
        await using var journal = Journals.Open(Options with { ServerPatience = TimeSpan.FromMilliseconds(300) });
        await journal.OpenAsync(default);
        server.Crash();
        try
        {
            var refusal = await Assert.ThrowsAsync<JournalException>(() => journal.WriteAsync(Write(Entry(1, 1))));
            Assert.Contains("cannot be reached", refusal.Message, StringComparison.Ordinal);
            Assert.Contains("was not acknowledged", refusal.Message, StringComparison.Ordinal);
        }
        finally
        {
            server.Start();
        }
    }

    [Fact]
    public async Task Closing_does_not_wait_for_a_server_that_is_away()
    {
        var journal = Journal();
        await journal.OpenAsync(default);
        server.Crash();
        try
        {
            var waiting = journal.WriteAsync(Write(Entry(1, 1)));
            await journal.DisposeAsync();
            await Assert.ThrowsAsync<JournalException>(() => waiting);
        }
        finally
        {
            server.Start();
        }
    }

    [Fact]
    public async Task Who_was_taken_over_writes_nothing_any_more()
    {
        await using var journal = Journal();
        await journal.OpenAsync(default);
        await journal.WriteAsync(Write(Entry(1, 1)));
        Tamper("UPDATE hard_state SET owner = gen_random_uuid()"); // as a second daemon behind a proxy that gives sessions away
        var refusal = await Assert.ThrowsAsync<JournalException>(() => journal.WriteAsync(Write(Entry(2, 1))));
        Assert.Contains("taken over by another daemon", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(1, Scalar("SELECT count(*) FROM journal"));
    }

    [Fact]
    public async Task A_server_that_comes_back_with_less_is_refused()
    {
        await using var journal = Journal();
        await journal.OpenAsync(default);
        await journal.WriteAsync(Write(Entry(1, 1)));
        Tamper("CREATE TABLE older AS SELECT * FROM hard_state");
        await journal.WriteAsync(Write(Entry(2, 1)));
        Tamper("DELETE FROM journal WHERE sequence_number = 2; DELETE FROM hard_state; INSERT INTO hard_state SELECT * FROM older; DROP TABLE older");
        server.Crash();
        server.Start();
        var refusal = await Assert.ThrowsAsync<JournalException>(() => journal.WriteAsync(Write(Entry(3, 1))));
        Assert.Contains("came back with 1 transactions, and 2 were acknowledged", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_may_lose_what_it_acknowledged_is_refused_or_told_not_to()
    {
        server.Crash();
        server.Start("fsync=off");
        try
        {
            Assert.Contains("fsync=off", await RefusalAsync(), StringComparison.Ordinal);
        }
        finally
        {
            server.Crash();
            server.Start("synchronous_commit=off", "wal_writer_delay=10s");
        }

        await using (var journal = Journal())
        {
            await journal.OpenAsync(default);
            await journal.WriteAsync(Write(Entry(1, 1)));
            server.Crash();
        }

        server.Start();
        Assert.Single((await ReopenAsync()).Entries);
    }

    [Theory]
    [InlineData("mysql://x/y", "it has to be postgres://")]
    [InlineData("postgres://user@host", "names no database")]
    [InlineData("postgres://host/db", "names no user")]
    [InlineData("postgres://u@h/db?sslmode=maybe&colour=red", "sslmode=maybe is none of")]
    [InlineData("postgres://u@h/db?sslmode=maybe&colour=red", "the parameter colour is not known")]
    public void An_address_that_is_not_understood_is_told_with_every_problem(string address, string told)
    {
        var refusal = Assert.Throws<JournalException>(() => Journals.Open(Options with { Server = address }));
        Assert.Contains(told, refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_password_is_in_no_sentence()
    {
        var options = Options with { Server = "postgres://user:hunter2@localhost:1/db", ServerPatience = TimeSpan.FromMilliseconds(1) };
        await using var journal = Journals.Open(options);
        var refusal = await Assert.ThrowsAsync<JournalException>(() => journal.OpenAsync(default));
        Assert.DoesNotContain("hunter2", refusal + options.ToString(), StringComparison.Ordinal);
        Assert.Contains("postgres://localhost:1/db", refusal.Message, StringComparison.Ordinal);
    }

    private protected override void Tamper(string sql)
    {
        using var connection = server.Connect();
        using var command = new NpgsqlCommand(sql, connection);
        command.ExecuteNonQuery();
    }

    private protected override long Scalar(string sql)
    {
        using var connection = server.Connect();
        using var command = new NpgsqlCommand(sql, connection);
        return Convert.ToInt64(command.ExecuteScalar(), System.Globalization.CultureInfo.InvariantCulture);
    }
}
