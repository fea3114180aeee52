namespace Orchestrator.Manager.Raft.Storage;

/// <summary>What an operator is told when a journal cannot be trusted: what is wrong, and the ways out.</summary>
internal sealed record JournalDamage(string Name, string Directory)
{
    internal JournalException Of(string what, Exception? cause = null) => new($"the journal {Name} is damaged: {what}. {Remedy}", cause);

    internal JournalException Lost(ulong stored, ulong acknowledged) => new(
        $"the journal {Name} has lost writes that were acknowledged: it holds {stored} transactions, and {acknowledged} were promised "
        + $"(as {JournalTip.FileName} beside the keys says). It was damaged, or replaced by an older copy. {Remedy}. Only who accepts the loss removes {Path.Combine(Directory, JournalTip.FileName)}");

    private string Remedy =>
        $"If the swarm has other managers, remove the directory {Directory} and start this one again: it begins an empty journal and is taken in as another member; if they are no majority any more, "
        + "start one whose journal is sound with --force-new-cluster. A single manager's directory is restored from a backup, all files of one moment";
}
