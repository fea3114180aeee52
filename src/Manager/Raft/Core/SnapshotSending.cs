namespace Orchestrator.Manager.Raft.Core;

/// <summary>How far a snapshot has come on its way to a follower, who says what it holds: also from an earlier attempt, which then goes on.</summary>
internal sealed class SnapshotSending(ulong index, long now)
{
    private long next;
    private long held;
    private long? length;
    private long progress = now;

    /// <summary>What the log's beginning stood for when this began; the journal may hand out a newer one.</summary>
    internal ulong Index { get; } = index;

    /// <summary>The offset of the next piece to send; null while answers are waited for.</summary>
    internal long? Next(RaftOptions options)
    {
        if (length is { } whole ? next >= whole || next - held >= (long)options.MaxPieces * options.PieceBytes : next > 0)
            return null;
        var offset = next;
        next += options.PieceBytes;
        return offset;
    }

    internal void Holds(long bytes, long ofLength, long now)
    {
        if (length is not null && bytes == held)
            return; // a piece came twice or too early
        if (length is null || bytes < held)
            next = bytes; // it goes on with an earlier attempt, or has lost what it held
        length = ofLength;
        held = bytes;
        next = Math.Max(next, bytes);
        progress = now;
    }

    /// <summary>Nothing was heard for too long: what was sent after the last answer is sent again.</summary>
    internal void Repeat(long now, int timeout)
    {
        if (now - progress < timeout)
            return;
        next = held;
        progress = now;
    }

    /// <summary>A piece is known to be lost: the next tick repeats it.</summary>
    internal void Lost() => progress = long.MinValue / 2;
}
