using Orchestrator.Shared.Http;
using Orchestrator.Shared.Rpc;

namespace Orchestrator.Cli.Daemon;

/// <summary>The end of a membership.</summary>
internal sealed partial class SwarmNode
{
    /// <summary>How long a leaving node tries to tell the managers.</summary>
    private static readonly TimeSpan FarewellPatience = TimeSpan.FromSeconds(10);

    /// <remarks>
    /// In this order: the agent stops, whose next word would say that the node is there; the cluster is told; the manager stops; containers go;
    /// identity; the rest. From the identity on a start finishes it.
    /// </remarks>
    public async Task LeaveAsync(bool force, CancellationToken stop)
    {
        await _turn.WaitAsync(stop);
        try
        {
            var member = _member ?? throw new ApiException(503, "This node is not part of a swarm.");
            if (!force && !member.Identity.Worker)
                throw new ApiException(503, Warning(member));

            // From here on the caller's patience no longer counts: half a leave would be worse than either.
            await member.Loops.StopAsync();
            await SayFarewellAsync(member);
            await EndAsync(member);
            await worker.RemoveTasksAsync(CancellationToken.None);
            _files.Forget();
            _log.Left(member.Identity.NodeId.Value);
        }
        finally
        {
            Release();
        }
    }

    private async Task SayFarewellAsync(SwarmMember member)
    {
        if (member.Others.Count == 0)
            return; // there is nobody to tell
        try
        {
            if (member.Manager is { } manager)
                await manager.Departure.ForGoodAsync(FarewellPatience, CancellationToken.None);
            else
                await member.Control.CallAsync((control, stop) => control.LeaveAsync(new() { NodeId = member.Identity.NodeId }, stop), FarewellPatience, CancellationToken.None);
        }
        catch (RpcException unheard)
        {
            _log.FarewellUnheard(unheard.Detail);
        }
    }

    private string Warning(SwarmMember member)
    {
        if (member.Locked)
            return "This node's manager is locked: unlock it first, or use \"--force\" to leave the swarm all the same.";
        if (member.Manager?.Managers.View is not { } view || view.Members.Count(m => m.Votes) <= 1)
            return "This node is the last manager of its swarm: leaving erases the swarm's state and its services. Use the \"--force\" option to leave all the same.";
        var voters = view.Members.Where(m => m.Votes).ToList();
        var rest = voters.Count(m => m.Reachable && m.Node != view.Self);
        var warning = "You are attempting to leave the swarm on a node that is participating as a manager. ";
        return rest > (voters.Count - 1) / 2
            ? $"{warning}Demote it first (\"orch node demote {member.Identity.NodeId}\" on a manager), or use the \"--force\" option: the other {voters.Count - 1} managers go on without it."
            : $"{warning}Removing this node leaves {rest} reachable managers out of {voters.Count - 1}, which is no majority: the swarm would be lost but for \"--force-new-cluster\". Use the \"--force\" option to leave all the same.";
    }
}
