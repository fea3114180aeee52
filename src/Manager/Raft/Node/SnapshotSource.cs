using System.Security.Cryptography;
using Orchestrator.Manager.Raft.Core;
using Orchestrator.Manager.Raft.Storage;

namespace Orchestrator.Manager.Raft.Node;

/// <summary>Fills in the pieces of the snapshot that one peer is sent. The journal's newest when it began stays the one, until the log has left it behind.</summary>
internal sealed class SnapshotSource(IJournal journal, int pieceBytes)
{
    private ISnapshotReader? reader;
    private IncrementalHash? hash;
    private long hashed;
    private byte[]? digest;

    internal async Task<Message> FillAsync(Message ask, CancellationToken stop)
    {
        if (reader is null || (ask.Offset == 0 && reader.Meta.Index < ask.Snapshot!.Index))
        {
            await CloseAsync();
            reader = await journal.OpenSnapshotAsync(stop)
                ?? throw new JournalException($"the log begins after a snapshot {ask.Snapshot!.Index}, but none is stored");
            (hash, hashed, digest) = (IncrementalHash.CreateHash(HashAlgorithmName.SHA256), 0, null);
        }

        var piece = await ReadAsync(ask.Offset, stop);
        return ask with
        {
            Snapshot = reader.Meta,
            Length = reader.Length,
            SnapshotData = piece,
            Digest = ask.Offset + piece.Length == reader.Length ? await DigestAsync(stop) : default(ReadOnlyMemory<byte>),
        };
    }

    internal async Task CloseAsync()
    {
        if (reader is not null)
            await reader.DisposeAsync();
        hash?.Dispose();
        (reader, hash) = (null, null);
    }

    private async Task<ReadOnlyMemory<byte>> ReadAsync(long offset, CancellationToken stop)
    {
        var length = (int)Math.Clamp(reader!.Length - offset, 0, pieceBytes);
        var whole = await reader.ReadAsync(offset, stop);
        if (whole.Length < length)
        {
            var gathered = new byte[length];
            for (var filled = 0; ;)
            {
                var count = Math.Min(whole.Length, length - filled);
                whole[..count].CopyTo(gathered.AsMemory(filled));
                filled += count;
                if (filled == length)
                    break;
                whole = await reader.ReadAsync(offset + filled, stop);
            }

            whole = gathered;
        }

        var piece = whole[..length];
        if (offset == hashed && digest is null)
        {
            hash!.AppendData(piece.Span);
            hashed += length;
        }

        return piece;
    }

    /// <summary>Of the whole, also of what a peer held already and was not sent.</summary>
    private async Task<ReadOnlyMemory<byte>> DigestAsync(CancellationToken stop)
    {
        while (digest is null && hashed < reader!.Length)
            await ReadAsync(hashed, stop);
        return digest ??= hash!.GetHashAndReset();
    }
}
