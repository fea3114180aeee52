namespace Orchestrator.Manager.Raft.Storage;

/// <summary>The journal cannot be used; the message is a sentence for the operator.</summary>
internal class JournalException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The journal's keys are wrapped by an unlock key that was not given, or by another one.</summary>
internal sealed class JournalLockedException(string message, Exception? inner = null) : JournalException(message, inner);
