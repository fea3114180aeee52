namespace Orchestrator.Manager.State;

/// <summary>What a room wants of a state: the commands, and when to be asked again though nothing changed.</summary>
internal sealed record Decision(IReadOnlyList<Command> Commands, DateTimeOffset? WakeAt = null)
{
    internal static Decision Nothing { get; } = new([]);

    /// <summary>The earlier of two times to wake, either of which may be absent.</summary>
    internal static DateTimeOffset? Earlier(DateTimeOffset? a, DateTimeOffset? b) => a is null ? b : b is null || a < b ? a : b;
}
