using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Orchestrator.Manager.Raft.Storage;

/// <summary>
/// How many transactions were acknowledged, in a file beside the journal (<c>journal.tip</c>): written after each, not waited for. A store
/// that comes back with fewer has lost what was promised, and nothing in the store itself could tell: a write-ahead log that is damaged near
/// its end looks like one whose last write was not finished, and a server restored from a backup looks like itself.
/// </summary>
/// <remarks>After a power failure the file may be some seconds behind, never ahead. One that cannot be read says nothing.</remarks>
internal sealed class JournalTip : IDisposable
{
    internal const string FileName = "journal.tip";
    private const int NumberAt = 8;
    private const int CheckAt = 16;
    private const int Bytes = 32;
    private readonly byte[] owner;
    private readonly SafeFileHandle file;

    internal JournalTip(string directory, string persistenceId)
    {
        owner = Encoding.UTF8.GetBytes(persistenceId);
        file = File.OpenHandle(Path.Combine(directory, FileName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
    }

    /// <summary>Zero: nothing is known.</summary>
    internal ulong Read()
    {
        Span<byte> stored = stackalloc byte[Bytes];
        Span<byte> expected = stackalloc byte[Bytes];
        if (RandomAccess.Read(file, stored, 0) != Bytes)
            return 0;
        var writes = BinaryPrimitives.ReadUInt64BigEndian(stored[NumberAt..]);
        Encode(writes, expected);
        return stored.SequenceEqual(expected) ? writes : 0;
    }

    internal void Write(ulong writes)
    {
        Span<byte> bytes = stackalloc byte[Bytes];
        Encode(writes, bytes);
        RandomAccess.Write(file, bytes, 0);
    }

    public void Dispose() => file.Dispose();

    private void Encode(ulong writes, Span<byte> into)
    {
        "orch-tip"u8.CopyTo(into);
        BinaryPrimitives.WriteUInt64BigEndian(into[NumberAt..], writes);
        Span<byte> all = stackalloc byte[CheckAt + owner.Length];
        into[..CheckAt].CopyTo(all);
        owner.CopyTo(all[CheckAt..]);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(all, hash);
        hash[..(Bytes - CheckAt)].CopyTo(into[CheckAt..]);
    }
}
