namespace Orchestrator.Manager.State;

/// <summary>What a loop looks at: it is woken when that changes and sleeps through the rest.</summary>
[Flags]
internal enum StateParts
{
    None = 0,

    /// <summary>The swarm, its security, its nodes and what became of former ones.</summary>
    Members = 1,

    /// <summary>Services, tasks and networks.</summary>
    Work = 2,
}
