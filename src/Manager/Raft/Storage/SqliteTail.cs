using System.Buffers.Binary;
using System.Globalization;

namespace Orchestrator.Manager.Raft.Storage;

/// <summary>
/// What the end of SQLite's write-ahead log looks like before SQLite opens it. SQLite takes everything from the first frame whose checksum
/// fails for a write that was not finished; here a torn tail, which nobody was promised, is told from damage in what was
/// synced: whatever comes after a commit was written when that commit was durable. (sqlite.org/fileformat2.html, section 4)
/// </summary>
/// <param name="Torn">What of an unfinished write lies there, in words; or null.</param>
/// <param name="Damage">What is damaged, in words; or null.</param>
internal sealed record SqliteTail(string? Torn, string? Damage)
{
    private const int HeaderBytes = 32;
    private const int FrameHeaderBytes = 24;
    private const int SaltsAt = 8;
    private const uint BigEndianChecksums = 0x377f0683;
    private const uint LittleEndianChecksums = 0x377f0682;
    private static readonly SqliteTail Sound = new(null, null);

    /// <param name="database">The database's path; its log lies beside it.</param>
    internal static SqliteTail Inspect(string database)
    {
        var path = database + "-wal";
        if (!File.Exists(path))
            return Sound;
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 1 << 16);
        var header = new byte[HeaderBytes];
        var read = file.ReadAtLeast(header, HeaderBytes, throwOnEndOfStream: false);
        if (read == 0)
            return Sound;
        if (header.AsSpan(0, read).IndexOfAnyExcept((byte)0) < 0 || (read < HeaderBytes && !File.Exists(database)))
            return new("a write-ahead log that was just begun", null);
        return read < HeaderBytes || !IsSound(header, out var sum)
            ? new(null, "the header of the write-ahead log is not what was written")
            : Frames(file, header, sum);
    }

    private static bool IsSound(ReadOnlySpan<byte> header, out (uint, uint) sum)
    {
        sum = default;
        var magic = BinaryPrimitives.ReadUInt32BigEndian(header);
        if (magic is not (BigEndianChecksums or LittleEndianChecksums))
            return false;
        sum = Sum(header[..24], default, magic == BigEndianChecksums);
        return sum == Stored(header[24..]);
    }

    private static SqliteTail Frames(FileStream file, byte[] header, (uint, uint) sum)
    {
        var bigEndian = BinaryPrimitives.ReadUInt32BigEndian(header) == BigEndianChecksums;
        var frame = new byte[FrameHeaderBytes + BinaryPrimitives.ReadInt32BigEndian(header.AsSpan(8))];
        var salts = header.AsSpan(16, 8);
        var (number, committed, isBroken, commitAfterBreak) = (0, 0, false, 0);
        var unfinished = 0;
        for (; file.ReadAtLeast(frame, frame.Length, throwOnEndOfStream: false) is var read and >= FrameHeaderBytes; number++)
        {
            var ours = frame.AsSpan(SaltsAt, 8).SequenceEqual(salts);
            if (!isBroken)
            {
                var next = Sum(frame.AsSpan(FrameHeaderBytes), Sum(frame.AsSpan(0, 8), sum, bigEndian), bigEndian);
                isBroken = read < frame.Length || !ours || next != Stored(frame.AsSpan(16)) || BinaryPrimitives.ReadUInt32BigEndian(frame) == 0;
                sum = next;
            }

            var commits = BinaryPrimitives.ReadUInt32BigEndian(frame.AsSpan(4)) != 0;
            if (isBroken && ours && commitAfterBreak > 0)
                return new(null, string.Create(CultureInfo.InvariantCulture, $"the write-ahead log is not what was written from page {committed + 1} on, and page {number + 1} was written after that was durable"));
            if (isBroken && ours && commits)
                commitAfterBreak = number + 1;
            if (ours)
                unfinished = number + 1 - committed;
            if (!isBroken && commits)
                (committed, unfinished) = (number + 1, 0);
            if (read < frame.Length)
                break;
        }

        return unfinished == 0 ? Sound : new(string.Create(CultureInfo.InvariantCulture, $"a write of {unfinished} pages or more was not finished"), null);
    }

    private static (uint, uint) Stored(ReadOnlySpan<byte> bytes) => (BinaryPrimitives.ReadUInt32BigEndian(bytes), BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]));

    private static (uint, uint) Sum(ReadOnlySpan<byte> bytes, (uint, uint) sum, bool bigEndian)
    {
        var (a, b) = sum;
        unchecked
        {
            for (var i = 0; i + 8 <= bytes.Length; i += 8)
            {
                a += Word(bytes[i..], bigEndian) + b;
                b += Word(bytes[(i + 4)..], bigEndian) + a;
            }
        }

        return (a, b);
    }

    private static uint Word(ReadOnlySpan<byte> bytes, bool bigEndian) =>
        bigEndian ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : BinaryPrimitives.ReadUInt32LittleEndian(bytes);
}
