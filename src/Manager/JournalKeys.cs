using System.Collections.Immutable;
using Orchestrator.Manager.Raft;
using Orchestrator.Manager.Raft.Core;
using Orchestrator.Manager.Raft.Storage;
using Orchestrator.Manager.State;

namespace Orchestrator.Manager;

/// <summary>The keys that a journal is sealed by, in step with the cluster. A journal without keys leaves nothing to do; its loops go on all the same.</summary>
/// <param name="opened">The unlock key that opened the journal; null: it was not locked.</param>
internal sealed class JournalKeys(IJournal journal, IProposer raft, Cluster cluster, byte[]? opened, TimeProvider time)
{
    /// <summary>A manager that left must not open what is written after it: each change of members brings a new key.</summary>
    internal async Task RotateAsync(CancellationToken stop)
    {
        if (journal is not ISealedJournal keys)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, time, stop);
            return;
        }

        ImmutableArray<PeerId>? before = null;
        await foreach (var view in raft.WatchMembersAsync(stop))
        {
            if (before is { } former && !former.SequenceEqual(view.Voters))
                await keys.RotateKeyAsync();
            before = view.Voters;
        }
    }

    /// <summary>Keeps the keys wrapped by the cluster's unlock key, while it has one.</summary>
    internal async Task ProtectAsync(CancellationToken stop)
    {
        if (journal is not ISealedJournal keys)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, time, stop);
            return;
        }

        var kept = opened;
        while (true)
        {
            var state = cluster.Current;
            if (state.Security is { } security && !security.UnlockKey.AsSpan().SequenceEqual(kept))
            {
                await keys.ProtectKeysAsync(security.UnlockKey is { } key ? key : null);
                kept = security.UnlockKey;
            }

            await cluster.NewerThanAsync(state, StateParts.Members, stop);
        }
    }
}
