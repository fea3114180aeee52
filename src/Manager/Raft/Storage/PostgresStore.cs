using System.Net.Sockets;
using Npgsql;

namespace Orchestrator.Manager.Raft.Storage;

/// <summary>
/// Rows on a PostgreSQL server, by one connection. A transaction is one batch in one round trip, durable when it is answered.
/// </summary>
/// <remarks>
/// One daemon writes one journal: its session holds an advisory lock, and every transaction names the owner and the number of the one before
/// it, which holds too where a proxy gives sessions away. When the server is lost writes wait, and nothing is acknowledged: to Raft it
/// is a slow disk, so the entry is committed by other managers or by nobody. What was under way is looked up when the server is back: its
/// number is there, or it is done again. When the server stays away for <see cref="JournalOptions.ServerPatience"/> the journal breaks and the manager
/// stops, so that a leader without a journal does not stay one.
/// </remarks>
internal sealed partial class PostgresStore : IJournalStore
{
    private static readonly TimeSpan InUsePatience = TimeSpan.FromSeconds(3);

    private readonly JournalOptions options;
    private readonly NpgsqlDataSource source;
    private readonly Guid owner = Guid.NewGuid();
    private readonly ManualResetEventSlim giveUp = new();
    private NpgsqlConnection? connection;
    private ulong writes;

    internal PostgresStore(JournalOptions options)
    {
        this.options = options;
        var uri = PostgresUri.Read(options.Server!);
        uri.ApplicationName = "orch";
        uri.Pooling = false; // the session is the lock
        uri.MaxAutoPrepare = 16;
        uri.AutoPrepareMinUsages = 2;
        uri.CommandTimeout = 15;
        uri.KeepAlive = 10;
        var builder = new NpgsqlSlimDataSourceBuilder(uri.ConnectionString);
        builder.EnableArrays();
        builder.EnableTransportSecurity();
        source = builder.Build();
        Name = $"postgres://{uri.Host}:{uri.Port}/{uri.Database}";
    }

    public string Name { get; }

    public StoredRows Open()
    {
        try
        {
            return Persist(
                () =>
                {
                    PrepareSchema();
                    Claim();
                    var rows = PostgresTables.Read(connection!, options.PersistenceId);
                    writes = rows.Head?.Head.Writes ?? 0;
                    return rows;
                },
                InUsePatience);
        }
        catch (Exception e) when (e is InvalidCastException or FormatException or OverflowException)
        {
            throw new JournalDamage(Name, options.Directory).Of($"its rows cannot be read: {e.Message}", e);
        }
        catch (NpgsqlException e)
        {
            throw new JournalException($"the journal {Name} cannot be opened: {e.Message}", e);
        }
    }

    public byte[]? ReadPiece(long series, int number) => Persist(() =>
    {
        using var read = PostgresTables.Command(
            connection!, "SELECT payload FROM orch.snapshot_pieces WHERE persistence_id = $1 AND series = $2 AND number = $3", options.PersistenceId);
        read.Parameters.Add(new NpgsqlParameter<long> { TypedValue = series });
        read.Parameters.Add(new NpgsqlParameter<int> { TypedValue = number });
        return read.ExecuteScalar() as byte[];
    }, options.ServerPatience);

    public void GiveUp() => giveUp.Set();

    public void Dispose()
    {
        connection?.Dispose();
        source.Dispose();
        giveUp.Dispose();
    }

    private NpgsqlConnection Connect()
    {
        var next = source.OpenConnection();
        try
        {
            if (Setting(next, "fsync") != "on")
                throw new JournalException($"the server of the journal {Name} runs with fsync=off and can lose what it has acknowledged: turn it on");
            if (Setting(next, "synchronous_commit") is "off" or "local") // what waits for standbys stays as the operator has it
                Execute(next, "SET synchronous_commit = on");
            using var take = PostgresTables.Command(next, "SELECT pg_try_advisory_lock(hashtextextended('orch journal ' || $1, 0))", options.PersistenceId);
            return take.ExecuteScalar() is true ? next : throw new JournalInUseException($"the journal {Name} of node {options.PersistenceId} is in use by another daemon");
        }
        catch
        {
            next.Dispose();
            throw;
        }
    }

    private void PrepareSchema()
    {
        using var make = connection!.BeginTransaction();
        Execute(connection, "SELECT pg_advisory_xact_lock(hashtextextended('orch schema', 0))"); // several managers may begin at once
        using (var exists = new NpgsqlCommand("SELECT to_regclass('orch.format') IS NOT NULL", connection))
        {
            if (exists.ExecuteScalar() is not true)
                Execute(connection, PostgresTables.Schema);
        }

        using var read = new NpgsqlCommand("SELECT version FROM orch.format", connection);
        if (read.ExecuteScalar() is not PostgresTables.Version and var version)
            throw new JournalException($"the journal {Name} has format {version}, this version of orch reads {PostgresTables.Version}; start the version that wrote it");
        make.Commit();
    }

    /// <summary>Whoever was the owner before cannot write any more.</summary>
    private void Claim()
    {
        using var claim = PostgresTables.Command(
            connection!,
            "INSERT INTO orch.hard_state VALUES ($1, 0, 0, 0, 0, 0, 0, 0, NULL, $2) ON CONFLICT (persistence_id) DO UPDATE SET owner = $2",
            options.PersistenceId);
        claim.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = owner });
        claim.ExecuteNonQuery();
    }

    /// <summary>Does it, again if need be after the server was away; for as long as there is patience.</summary>
    /// <param name="whenInUse">How long another session may hold the journal: this daemon's own of before, which the server has not missed yet.</param>
    private T Persist<T>(Func<T> work, TimeSpan whenInUse)
    {
        var lost = 0L;
        var pause = TimeSpan.FromMilliseconds(50);
        while (true)
        {
            try
            {
                connection ??= Connect();
                var result = work();
                if (lost != 0)
                    options.Log.ServerBack(Name, options.Time.GetElapsedTime(lost));
                return result;
            }
            catch (Exception e) when (IsPassing(e))
            {
                connection?.Dispose();
                connection = null;
                if (lost == 0)
                {
                    lost = options.Time.GetTimestamp();
                    options.Log.ServerLost(Name, e.Message, options.ServerPatience);
                }

                var away = options.Time.GetElapsedTime(lost);
                if (e is JournalInUseException && away >= whenInUse)
                    throw;
                if (away >= options.ServerPatience || giveUp.Wait(pause))
                    throw new JournalException(
                        $"the journal {Name} cannot be reached ({e.Message}) for {away.TotalSeconds:F0} s. What was asked for meanwhile was not acknowledged. Start this manager again when the server is back", e);
                pause = TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, TimeSpan.TicksPerSecond));
            }
        }
    }

    /// <summary>The connection broke, or the server ends, starts or is out of room: nothing is wrong with what was asked for.</summary>
    private static bool IsPassing(Exception e) => e switch
    {
        PostgresException told => told.SqlState is ['0', '8', ..] or ['5', '3', ..] or ['4', '0', ..] or "57P01" or "57P02" or "57P03" or "57014" or "25006",
        NpgsqlException or SocketException or IOException or TimeoutException or JournalInUseException => true,
        _ => false,
    };

    private static string? Setting(NpgsqlConnection connection, string name)
    {
        using var read = new NpgsqlCommand("SELECT current_setting($1)", connection);
        read.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name });
        return read.ExecuteScalar() as string;
    }

    private static void Execute(NpgsqlConnection connection, string sql)
    {
        using var command = new NpgsqlCommand(sql, connection);
        command.ExecuteNonQuery();
    }
}

/// <summary>Another daemon's session holds the journal; or this one's own that broke, which the server has not noticed yet.</summary>
internal sealed class JournalInUseException(string message) : JournalException(message);
