using Orchestrator.Manager;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Protocol;
using Orchestrator.Shared.Rpc;
using Orchestrator.Shared.Security;

namespace Orchestrator.Cli.Daemon;

/// <summary>Becoming a member of a cluster that is there.</summary>
internal sealed partial class SwarmNode
{
    /// <summary>How long a caller waits for the node to be at work; it goes on becoming so afterwards (moby's swarmConnectTimeout).</summary>
    private static readonly TimeSpan JoinPatience = TimeSpan.FromSeconds(20);

    /// <remarks>
    /// In this order: a manager makes the node and signs its certificate; certificate; identity; then agent and, by a manager's token, manager.
    /// Before the identity a crash leaves a node in the cluster that was never heard of, which an operator removes, and nothing here.
    /// </remarks>
    public async Task JoinAsync(SwarmJoinRequest request, CancellationToken stop)
    {
        await _turn.WaitAsync(stop);
        try
        {
            if (_member is not null)
                throw AlreadyMember;
            var plan = SwarmJoinPlan.Make(request, NodeAddresses.Read(), ClusterEndpoints.Toward);
            Probe(plan.Endpoints.Listen);
            var joined = await AskInAsync(plan, stop);
            var identity = new NodeIdentity
            {
                NodeId = joined.Credentials.NodeId,
                ClusterId = joined.Credentials.ClusterId,
                Address = plan.Endpoints.Address,
                ListenAddr = plan.Endpoints.Listen.ToString(),
                ClusterAddr = plan.Endpoints.Advertised,
                Worker = joined.Credentials.Role == NodeRole.Worker,
                Joined = true,
                Member = joined.Credentials.Role == NodeRole.Manager ? MemberFiles.DrawNumber() : null,
                Managers = joined.Managers,
            };
            var member = Make(identity, joined.Credentials);
            try
            {
                _files.Credentials.Write(joined.Credentials);
                _files.Identity.Write(identity);
                await OpenAsync(member, stop);
                if (!identity.Worker)
                    await StartManagerAsync(member, ManagerBirth.Joining, unlockKey: null, stop);
            }
            catch
            {
                await SayFarewellAsync(member);
                await EndAsync(member);
                _files.Forget();
                throw;
            }

            await JoinedAsync(member, stop);
        }
        finally
        {
            Release();
        }
    }

    /// <summary>Asks the managers in turn; a refusal of one that was reached is the answer.</summary>
    private async Task<JoinedNode> AskInAsync(SwarmJoinPlan plan, CancellationToken stop)
    {
        using var key = SigningRequest.Create(); // one for all tries: the same key is the same node
        var reasons = new List<string>();
        foreach (var (text, remote) in plan.Remotes)
        {
            try
            {
                return await ClusterJoin.RunAsync(
                    RpcConnects.Tcp(remote), plan.Token, key, plan.Endpoints.Advertised, plan.Availability, worker.Describe(), time, stop);
            }
            catch (RpcException failure) when (failure.Status is RpcStatus.Unavailable or RpcStatus.DeadlineExceeded or RpcStatus.Cancelled)
            {
                reasons.Add($"{text}: {failure.Detail}");
            }
            catch (RpcException refused)
            {
                throw new ApiException(refused.Status is RpcStatus.Internal ? 500 : 400, $"{text}: {refused.Detail}", inner: refused);
            }
        }

        throw new ApiException(503, $"no manager could be asked to let this node in: {string.Join("; ", reasons)}");
    }

    private async Task JoinedAsync(SwarmMember member, CancellationToken stop)
    {
        using var patience = new CancellationTokenSource(JoinPatience, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stop);
        try
        {
            await member.FirstHeard.Task.WaitAsync(both.Token);
            if (member.Manager is { } manager)
                await manager.AdmittedAsync(both.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new ApiException(
                503, "Timeout was reached before node joined. The attempt to join the swarm will continue in the background. Use the \"orch info\" (or \"docker info\") command to see the current swarm status of your node.");
        }
    }
}
