using System.Globalization;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Http;

namespace Orchestrator.Manager.Api;

/// <summary>
/// Refuses what people ask for while the journal's disk is as good as full, so that it is told in a sentence at once, is not done later, and
/// the cluster's own entries still have room. What removes something may use more of the rest.
/// </summary>
/// <param name="directory">The journal's.</param>
/// <param name="free">Bytes that are free there for anybody.</param>
/// <param name="rest">Bytes that are free there for root: file systems keep some apart.</param>
internal sealed class JournalRoom(string directory, Func<long> free, Func<long> rest)
{
    /// <summary>Some hundred entries, and a write-ahead log of the size from which it is brought in.</summary>
    internal const long Kept = 8 << 20;

    internal const long KeptFromRemovals = 512 << 10;

    /// <exception cref="ApiException">507: there is no room.</exception>
    internal void Demand(Command command)
    {
        var left = free();
        if (left >= Kept || (Removes(command) && rest() >= KeptFromRemovals))
            return;
        throw new ApiException(
            507,
            string.Create(
                CultureInfo.InvariantCulture,
                $"No space left on device: {left >> 10} KiB are free for the journal in {directory}, and it keeps {Kept >> 20} MiB for the cluster's own work. Nothing was changed. Free some space there (orch system df, orch system prune)"));
    }

    private static bool Removes(Command command) => command is RemoveService or RemoveNetwork or RemoveSecret or RemoveConfig or RemoveNode or LeaveNode;
}
