using System.Net;
using System.Security.Cryptography;
using Orchestrator.Manager;
using Orchestrator.Manager.Api;
using Orchestrator.Manager.State;
using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;
using Orchestrator.Shared.Security;

namespace Orchestrator.Cli.Daemon;

/// <summary>The beginning of a cluster, and its beginning anew.</summary>
internal sealed partial class SwarmNode
{
    /// <remarks>In this order: certificate, journal with the cluster's first entry, identity. Without the identity a start removes the rest.</remarks>
    public async Task<NodeId> InitAsync(SwarmInitRequest request, CancellationToken stop)
    {
        await _turn.WaitAsync(stop);
        try
        {
            if (_member is { } former)
                return request.ForceNewCluster ? await BeginAnewAsync(former, request, stop) : throw AlreadyMember;
            var now = time.GetUtcNow();
            var plan = SwarmInitPlan.Make(
                request,
                IdText.Cluster(RandomNumberGenerator.GetBytes(17)),
                new NodeId(IdText.Cluster(RandomNumberGenerator.GetBytes(17))),
                worker.Describe(),
                NodeAddresses.Read(),
                [.. options.DefaultAddressPools.Select(AddressPools.Parse).OfType<AddressRange>()],
                MemberFiles.DrawNumber(),
                now);
            Probe(plan.Endpoints.Listen);
            var security = ClusterSecurity.Begin(CertificateAuthority.Create(now), RandomNumberGenerator.GetBytes(34)) with
            {
                UnlockKey = request.AutoLockManagers ? RandomNumberGenerator.GetBytes(32) : null,
            };
            var identity = new NodeIdentity
            {
                NodeId = plan.FirstNode.Id,
                ClusterId = plan.Swarm.Id,
                Address = plan.Endpoints.Address,
                ListenAddr = plan.Endpoints.Listen.ToString(),
                ClusterAddr = plan.Endpoints.Advertised,
                Member = plan.FirstNode.ManagerStatus!.Member,
                Managers = [new() { NodeId = plan.FirstNode.Id, Address = plan.Endpoints.Advertised, Member = plan.FirstNode.ManagerStatus.Member }],
            };
            var member = Make(identity, SelfIssued(security, identity, plan.Swarm.Spec.CaConfig.NodeCertExpiry, now));
            try
            {
                _files.Credentials.Write(member.Credentials.Current);
                await StartManagerAsync(member, ManagerBirth.First, unlockKey: null, stop);
                var outcome = await member.Manager!.InitAsync(new InitSwarm(plan.Swarm, plan.FirstNode) { At = now, Security = security }, stop);
                if (outcome.Refusal is { } refusal)
                    throw ClusterDoor.Refused(refusal);
                _files.Identity.Write(identity);
                await OpenAsync(member, stop);
            }
            catch
            {
                await EndAsync(member);
                _files.Forget();
                throw;
            }

            _log.Manages(identity.NodeId.Value, identity.ClusterId);
            await ReadyAsync(member, stop);
            return identity.NodeId;
        }
        finally
        {
            Release();
        }
    }

    /// <summary>
    /// Recovery from a lost majority: the consensus goes on with this manager alone, over everything its journal holds. The intent is on disk
    /// before anything changes, so that a start after a crash finishes it.
    /// </summary>
    private async Task<NodeId> BeginAnewAsync(SwarmMember member, SwarmInitRequest request, CancellationToken stop)
    {
        if (member.Locked)
            throw new ApiException(503, Obstacle);
        if (member.Identity.Worker || member.Manager is not { } former)
            throw new ApiException(503, "This node is a worker: only a manager holds what a new cluster could begin with.");
        var problems = new List<Problem>();
        if (request.ListenAddr is { Length: > 0 } listen && listen != ClusterEndpoints.DefaultListen && listen != member.Identity.ListenAddr)
            problems.Add(new("ListenAddr", $"'{listen}': the cluster port stays at {member.Identity.ListenAddr}"));
        var bound = IPEndPoint.Parse(member.Identity.ListenAddr);
        var endpoints = request.AdvertiseAddr is null or ""
            ? new ClusterEndpoints(bound, member.Identity.Address, member.Identity.ClusterAddr)
            : ClusterEndpoints.Read(member.Identity.ListenAddr, request.AdvertiseAddr, NodeAddresses.Read(), usual: null, problems);
        if (problems.Count > 0 || endpoints is null)
            throw new ApiException(400, string.Join("; ", problems), problems);

        var identity = member.Identity with
        {
            Address = endpoints.Address,
            ClusterAddr = endpoints.Advertised,
            Managers = [new() { NodeId = member.Identity.NodeId, Address = endpoints.Advertised, Member = member.Identity.Member }],
            BeginsAnew = true,
        };
        _files.Identity.Write(identity);
        member.Identity = identity;
        member.Dispatcher.Learn(identity.Managers);

        // From here on the caller's patience no longer counts; what runs on this node and the others goes on meanwhile.
        member.Manager = null;
        var key = former.UnlockKey;
        await former.DisposeAsync();
        await StartManagerAsync(member, ManagerBirth.Anew, key, CancellationToken.None);
        await FinishBeginningAnewAsync(member, CancellationToken.None);
        await ReadyAsync(member, stop);
        return identity.NodeId;
    }

    private async Task FinishBeginningAnewAsync(SwarmMember member, CancellationToken stop)
    {
        var identity = member.Identity;
        var outcome = await member.Manager!.BeginAnewAsync(new BeginAnew(identity.NodeId, identity.ClusterAddr, identity.Member) { At = time.GetUtcNow() }, stop);
        if (outcome.Refusal is { } refusal)
            throw ClusterDoor.Refused(refusal);
        member.Identity = identity with { BeginsAnew = false };
        _files.Identity.Write(member.Identity);
        _log.BeganAnew(identity.NodeId.Value, identity.ClusterId);
    }

    /// <summary>Waits a moment for the agent's first session, so that whoever asks after init sees the node ready and not unknown.</summary>
    private async Task ReadyAsync(SwarmMember member, CancellationToken stop)
    {
        var cluster = member.Manager!.Cluster;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2), time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stop);
        try
        {
            var changes = cluster.WatchAsync(both.Token);
            if (IsReady(cluster.Current))
                return;
            await foreach (var change in changes)
            {
                if (IsReady(change.State))
                    return;
            }
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !stop.IsCancellationRequested)
        {
            // The cluster is made all the same; "node ls" tells how the node does.
        }

        bool IsReady(ClusterState state) =>
            state.Nodes.TryGetValue(member.Identity.NodeId, out var node) && node.Status.State == NodeState.Ready;
    }

    /// <summary>A founder's first certificate, by the CA that it has just made.</summary>
    private static NodeCredentials SelfIssued(ClusterSecurity security, NodeIdentity identity, TimeSpan validity, DateTimeOffset now)
    {
        using var request = SigningRequest.Create();
        using var certificate = security.Authority().Issue(request.Der, identity.NodeId, NodeRole.Manager, identity.ClusterId, now, validity);
        return NodeCredentials.Take(certificate.ExportCertificatePem() + "\n", security.TrustedRootsPem, request.Key, now);
    }

    /// <summary>A cluster from before nodes had certificates gets its CA, and this node, its only one, the first certificate.</summary>
    private async Task<NodeCredentials> FoundAuthorityAsync(NodeIdentity identity, CancellationToken stop)
    {
        var now = time.GetUtcNow();
        await using var manager = new ManagerHost(new ManagerOptions { NodeId = identity.NodeId, Member = identity.Member, DataRoot = options.DataRoot, Journal = options.Journal, Logs = logs, Time = time });
        await manager.StartAsync(stop);
        if (manager.Cluster.Current.Security is not { } security)
        {
            security = ClusterSecurity.Begin(CertificateAuthority.Create(now), RandomNumberGenerator.GetBytes(34));
            var outcome = await manager.Cluster.ProposeAsync(new SetSecurity(0, security) { At = now }, stop);
            if (outcome.Refusal is { } refusal)
                throw new DaemonException($"the cluster's CA could not be made: {refusal.Message}");
        }

        var validity = manager.Cluster.Current.Swarm?.Spec.CaConfig.NodeCertExpiry ?? CertificateAuthority.DefaultValidity;
        var credentials = SelfIssued(security, identity, validity, now);
        _files.Credentials.Write(credentials);
        return credentials;
    }

    /// <summary>A daemon's problem with the port is the caller's to solve.</summary>
    private static void Probe(IPEndPoint listen)
    {
        try
        {
            ClusterListener.Probe(listen);
        }
        catch (DaemonException cannot)
        {
            throw new ApiException(400, cannot.Message, inner: cannot);
        }
    }
}
