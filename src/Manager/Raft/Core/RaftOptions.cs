namespace Orchestrator.Manager.Raft.Core;

/// <summary>The protocol's proportions, in ticks and counts; the length of a tick is the node's business.</summary>
internal sealed record RaftOptions
{
    /// <summary>Ticks without a leader before a campaign; each campaign draws up to as many again.</summary>
    internal int ElectionTicks
    {
        get;
        init => field = value > 1 ? value : throw new ArgumentOutOfRangeException(nameof(value));
    } = 10;

    internal int HeartbeatTicks
    {
        get;
        init => field = value > 0 ? value : throw new ArgumentOutOfRangeException(nameof(value));
    } = 1;

    /// <summary>Appends on their way to one follower before the leader waits for answers (thesis, section 10.2.1, pipelining).</summary>
    internal int MaxInflight
    {
        get;
        init => field = value > 0 ? value : throw new ArgumentOutOfRangeException(nameof(value));
    } = 16;

    /// <summary>Bytes of entries on their way to one follower before the leader waits; an append that passes it is the last.</summary>
    internal long MaxInflightBytes
    {
        get;
        init => field = value > 0 ? value : throw new ArgumentOutOfRangeException(nameof(value));
    } = 8 << 20;

    /// <summary>Bytes of entries in one append; a single longer entry still goes.</summary>
    internal int MaxAppendBytes
    {
        get;
        init => field = value > 0 ? value : throw new ArgumentOutOfRangeException(nameof(value));
    } = 1 << 20;

    /// <summary>Bytes of a snapshot in one message.</summary>
    internal int PieceBytes
    {
        get;
        init => field = value > 0 ? value : throw new ArgumentOutOfRangeException(nameof(value));
    } = 256 << 10;

    /// <summary>Pieces of a snapshot on their way to one follower before the leader waits for answers.</summary>
    internal int MaxPieces
    {
        get;
        init => field = value > 0 ? value : throw new ArgumentOutOfRangeException(nameof(value));
    } = 4;
}
