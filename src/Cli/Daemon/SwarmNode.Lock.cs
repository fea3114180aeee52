using Orchestrator.Manager.Raft.Storage;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Security;

namespace Orchestrator.Cli.Daemon;

/// <summary>A manager whose journal needs the operator's key.</summary>
internal sealed partial class SwarmNode
{
    public async Task UnlockAsync(string key, CancellationToken stop)
    {
        await _turn.WaitAsync(stop);
        try
        {
            if (_member is not { Ready: true } member)
                throw new ApiException(409, "This node is not part of a swarm.");
            if (!member.Locked)
                throw new ApiException(409, "swarm is not locked");
            if (UnlockKeyText.Parse(key) is not { } bytes)
                throw new ApiException(400, "swarm could not be unlocked: this is not an unlock key; one reads SWMKEY-1- and 43 letters, as \"orch swarm unlock-key\" prints it on a manager that is not locked");
            try
            {
                await StartManagerAsync(member, member.Identity.BeginsAnew ? Orchestrator.Manager.ManagerBirth.Anew : Birth(member.Identity), bytes, stop);
            }
            catch (JournalLockedException wrong)
            {
                throw new ApiException(400, $"swarm could not be unlocked: invalid key provided ({wrong.Message})", inner: wrong);
            }

            if (member.Identity.BeginsAnew)
                await FinishBeginningAnewAsync(member, stop);
        }
        finally
        {
            Release();
        }
    }

    /// <summary>Not in a finally itself: the release of a lock that was taken in an asynchronous method.</summary>
    private void Release() => _turn.Release();
}
