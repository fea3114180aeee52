using Orchestrator.Shared.Protocol;
using Orchestrator.Shared.Rpc;
using Orchestrator.Shared.Security;

namespace Orchestrator.Cli.Daemon;

/// <summary>The cluster's CA as a member reaches it: by the manager that runs here, else by any other.</summary>
internal sealed class ManagerCertificates(SwarmMember member) : ICertificates
{
    public Task<RootReply> RootAsync(CancellationToken stop) => AskAsync(c => c.RootAsync(stop), stop);

    public Task<IssueReply> IssueAsync(IssueRequest request, CancellationToken stop) => AskAsync(c => c.IssueAsync(request, stop), stop);

    public Task<IssueReply> RenewAsync(RenewRequest request, PeerIdentity peer, CancellationToken stop) => AskAsync(c => c.RenewAsync(request, peer, stop), stop);

    public Task<ConfirmReply> ConfirmAsync(ConfirmRequest request, PeerIdentity peer, CancellationToken stop) =>
        AskAsync(c => c.ConfirmAsync(request, peer, stop), stop);

    private async Task<T> AskAsync<T>(Func<ICertificates, Task<T>> ask, CancellationToken stop)
    {
        if (member.Manager is { } here)
        {
            try
            {
                return await ask(here.Certificates);
            }
            catch (RpcException without) when (without.Status == RpcStatus.Unavailable && member.Others.Count > 0)
            {
                // This one is starting, or cut off: another may not be.
            }
        }

        return await member.AskAnyAsync(channel => ask(CertificatesRpc.Client(channel)), stop);
    }
}
