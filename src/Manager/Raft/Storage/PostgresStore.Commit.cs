using Npgsql;
using NpgsqlTypes;

namespace Orchestrator.Manager.Raft.Storage;

/// <summary>Writing: the whole transaction is one batch, which the server takes or refuses as one.</summary>
internal sealed partial class PostgresStore
{
    private const string DivisionByZero = "22012";
    private bool isInDoubt;

    public void Commit(JournalRows rows) => Persist(() =>
    {
        if (isInDoubt && WasCommitted(rows))
        {
            isInDoubt = false;
            writes = rows.Head.Head.Writes;
            return true;
        }

        isInDoubt = true; // until the server has answered
        try
        {
            using var batch = Batch(rows);
            batch.ExecuteNonQuery();
        }
        catch (PostgresException e) when (e.SqlState == DivisionByZero)
        {
            throw new JournalException(
                $"the journal {Name} of node {options.PersistenceId} was taken over by another daemon, or is not the one that it was: this manager stops. Two daemons must not run for one node", e);
        }
        catch (PostgresException e) when (!IsPassing(e))
        {
            throw new JournalException($"the journal {Name} refused a write: {e.Message}", e);
        }

        isInDoubt = false;
        writes = rows.Head.Head.Writes;
        return true;
    }, options.ServerPatience);

    /// <summary>The connection broke while the transaction was under way: its number tells whether it counts.</summary>
    private bool WasCommitted(JournalRows rows)
    {
        var stored = PostgresTables.ReadHead(connection!, options.PersistenceId);
        var number = stored?.Head.Writes ?? 0;
        if (number == rows.Head.Head.Writes && stored!.Payload.AsSpan().SequenceEqual(rows.Head.Payload))
            return true;
        if (number != writes)
            throw new JournalException(
                $"the journal {Name} of node {options.PersistenceId} came back with {number} transactions, and {writes} were acknowledged: the server is another one, or lost writes. "
                + "This manager stops; restore the server, or remove this node from the swarm and join it anew");
        return false;
    }

    private NpgsqlBatch Batch(JournalRows rows)
    {
        var batch = new NpgsqlBatch(connection);
        WriteHead(batch, rows.Head);
        if (rows.CutFrom is { } cut)
            Add(batch, "DELETE FROM orch.journal WHERE persistence_id = $1 AND sequence_number >= $2", Number((long)cut));
        if (rows.ForgetBelow > 0)
            Add(batch, "DELETE FROM orch.journal WHERE persistence_id = $1 AND sequence_number < $2", Number((long)rows.ForgetBelow));
        foreach (var (series, from, to) in rows.Dropped)
            Add(batch, "DELETE FROM orch.snapshot_pieces WHERE persistence_id = $1 AND series = $2 AND number >= $3 AND number < $4", Number(series), Number(from), Number(to));
        var now = options.Time.GetUtcNow().ToUnixTimeMilliseconds();
        if (rows.Entries.Count > 0)
            WriteEntries(batch, rows.Entries, now);
        foreach (var piece in rows.Pieces)
            Add(batch, "INSERT INTO orch.snapshot_pieces VALUES ($1, $2, $3, $4)", Number(piece.Series), new NpgsqlParameter<int> { TypedValue = piece.Number }, Bytes(piece.Payload));
        if (rows.Snapshot is { } snapshot)
            WriteSnapshot(batch, snapshot, now);
        return batch;
    }

    /// <summary>
    /// First, so that it locks the row. It changes nothing when the transaction before it is not the one that this daemon wrote, or another
    /// daemon has claimed the journal; the second statement then divides by zero, which undoes the batch without another round trip.
    /// </summary>
    private void WriteHead(NpgsqlBatch batch, HeadRow row)
    {
        var head = row.Head;
        Add(
            batch,
            "UPDATE orch.hard_state SET term = $2, vote = $3, commit_index = $4, writes = $5, first_number = $6, last_number = $7, snapshot_number = $8, payload = $9 "
            + "WHERE persistence_id = $1 AND owner = $10 AND writes = $11",
            Number((long)head.HardState.Term), Number((long)head.HardState.Vote.Value), Number((long)head.HardState.Commit), Number((long)head.Writes),
            Number((long)head.First), Number((long)head.Last), Number((long)head.Snapshot), Bytes(row.Payload!), Owner(), Number((long)writes));
        Add(
            batch, "SELECT 1 / count(*) FROM orch.hard_state WHERE persistence_id = $1 AND owner = $2 AND writes = $3",
            Owner(), Number((long)head.Writes));
    }

    private void WriteEntries(NpgsqlBatch batch, IReadOnlyList<EntryRow> entries, long now)
    {
        var (indexes, terms) = (new long[entries.Count], new long[entries.Count]);
        var (manifests, payloads) = (new string[entries.Count], new byte[entries.Count][]);
        for (var i = 0; i < entries.Count; i++)
            (indexes[i], terms[i], manifests[i], payloads[i]) = ((long)entries[i].Index, (long)entries[i].Term, entries[i].Manifest, entries[i].Payload);
        Add(
            batch, "INSERT INTO orch.journal SELECT $1, e.*, $6 FROM unnest($2, $3, $4, $5) AS e",
            new NpgsqlParameter<long[]> { TypedValue = indexes }, new NpgsqlParameter<long[]> { TypedValue = terms },
            new NpgsqlParameter<string[]> { TypedValue = manifests, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
            new NpgsqlParameter<byte[][]> { TypedValue = payloads, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea }, Number(now));
    }

    private void WriteSnapshot(NpgsqlBatch batch, SnapshotRow snapshot, long now)
    {
        Add(batch, "DELETE FROM orch.snapshots WHERE persistence_id = $1");
        Add(
            batch, "INSERT INTO orch.snapshots VALUES ($1, $2, $3, $4, $5, $6, $7)",
            Number((long)snapshot.Index), Number((long)snapshot.Term), Text(snapshot.Voters), Text(snapshot.Manifest), Bytes(snapshot.Payload), Number(now));
    }

    /// <summary>The first parameter is always whose rows they are.</summary>
    private void Add(NpgsqlBatch batch, string sql, params ReadOnlySpan<NpgsqlParameter> parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        command.Parameters.Add(Text(options.PersistenceId));
        foreach (var parameter in parameters)
            command.Parameters.Add(parameter);
        batch.BatchCommands.Add(command);
    }

    private NpgsqlParameter Owner() => new NpgsqlParameter<Guid> { TypedValue = owner };

    private static NpgsqlParameter Number(long value) => new NpgsqlParameter<long> { TypedValue = value };

    private static NpgsqlParameter Text(string value) => new NpgsqlParameter<string> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Text };

    private static NpgsqlParameter Bytes(byte[] value) => new NpgsqlParameter<byte[]> { TypedValue = value, NpgsqlDbType = NpgsqlDbType.Bytea };
}
