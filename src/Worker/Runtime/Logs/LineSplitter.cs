using System.Buffers;

namespace Orchestrator.Worker.Runtime.Logs;

/// <summary>
/// Cuts one output stream into log lines. A line longer than 16 KiB is written in pieces of that size, of which only the
/// last ends in a newline and all bear the time of the first; what is left at the end of the stream has no newline.
/// </summary>
internal sealed class LineSplitter(ReadOnlyMemory<byte> stream, LineFormat? format = null)
{
    private const int Longest = 16 * 1024;

    private readonly LineFormat format = format ?? LineFormat.Json;
    private byte[] pending = [];
    private int held;
    private DateTimeOffset? pieceTime;

    /// <summary>Bytes of a line whose end has not come yet.</summary>
    internal int Held => held;

    /// <summary>Takes bytes as they were read and writes the lines that they complete.</summary>
    internal void Take(ReadOnlySpan<byte> bytes, DateTimeOffset now, ArrayBufferWriter<byte> lines)
    {
        while (!bytes.IsEmpty)
        {
            var room = bytes[..Math.Min(bytes.Length, Longest - held)];
            var end = room.IndexOf((byte)'\n');
            if (end >= 0)
            {
                Emit(room[..end], complete: true, now, lines);
                bytes = bytes[(end + 1)..];
            }
            else if (held + room.Length == Longest)
            {
                Emit(room, complete: false, now, lines);
                bytes = bytes[room.Length..];
            }
            else
            {
                Hold(room);
                return;
            }
        }
    }

    /// <summary>The stream has ended.</summary>
    internal void Finish(DateTimeOffset now, ArrayBufferWriter<byte> lines)
    {
        if (held > 0)
            Emit([], complete: false, now, lines);
    }

    private void Emit(ReadOnlySpan<byte> rest, bool complete, DateTimeOffset now, ArrayBufferWriter<byte> lines)
    {
        var time = pieceTime ?? now;
        if (held > 0)
        {
            Hold(rest);
            format.Write(lines, pending.AsSpan(0, held), complete, stream.Span, time);
            held = 0;
        }
        else
        {
            format.Write(lines, rest, complete, stream.Span, time);
        }
        pieceTime = complete ? null : time;
    }

    private void Hold(ReadOnlySpan<byte> bytes)
    {
        if (pending.Length < held + bytes.Length)
            Array.Resize(ref pending, Math.Min(Longest, Math.Max(256, 2 * (held + bytes.Length))));
        bytes.CopyTo(pending.AsSpan(held));
        held += bytes.Length;
    }
}
