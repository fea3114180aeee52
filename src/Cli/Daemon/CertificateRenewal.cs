using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using Orchestrator.Shared.Hosting;
using Orchestrator.Shared.Protocol;
using Orchestrator.Shared.Rpc;
using Orchestrator.Shared.Security;

namespace Orchestrator.Cli.Daemon;

/// <summary>
/// Keeps a member's certificate in force: renews it before it ends and when the cluster has a new root, and confirms what is in use.
/// Connections that stand are not touched; new ones are made with the new certificate.
/// </summary>
/// <param name="box">Where handshakes read.</param>
/// <param name="file">Where a restart reads; written before the box.</param>
/// <param name="managers">Any manager's CA, over connections made with what is in the box.</param>
/// <param name="time">The clock.</param>
/// <param name="spread">In [0, 1), asked once for each certificate.</param>
/// <param name="log">The daemon's.</param>
internal sealed class CertificateRenewal(
    CredentialBox box, NodeCredentialsFile file, ICertificates managers, TimeProvider time, Func<double> spread, ILogger log) : IDisposable
{
    /// <summary>A timer holds 49 days at most; looking once a day costs nothing.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly Backoff _again = new() { First = TimeSpan.FromSeconds(1), Most = TimeSpan.FromMinutes(5) };
    private readonly Mailbox<bool> _news = new(1, WhenFull.DropNewest);
    private readonly SemaphoreSlim _turn = new(1);
    private volatile string? _toldRoots;

    /// <summary>A manager said what is to be trusted: PEM, the issuing root first.</summary>
    internal void Told(string rootsPem)
    {
        _toldRoots = rootsPem;
        _news.TrySend(true);
    }

    internal async Task RunAsync(CancellationToken stop)
    {
        var share = spread();
        NodeCredentials? planned = null, confirmed = null;
        var failures = 0;
        while (true)
        {
            var own = box.Current;
            if (!ReferenceEquals(own, planned))
                (planned, share) = (own, spread());
            var plan = RenewalPlan.Of(own, _toldRoots, share, time.GetUtcNow());
            try
            {
                if (plan.Act == RenewalAct.Renew)
                    await RenewAsync(stop);
                else if (plan.Act == RenewalAct.TakeRoots)
                    await TrustAsync(_toldRoots!, stop);
                else if (!ReferenceEquals(own, confirmed))
                    await managers.ConfirmAsync(new() { RootsPem = own.RootsPem }, own.Self, stop);
                if (plan.Act == RenewalAct.Wait)
                {
                    confirmed = own;
                    await WaitAsync(plan.At - time.GetUtcNow(), stop);
                }

                failures = 0;
            }
            catch (Exception failure) when (failure is RpcException or CryptographicException)
            {
                var delay = _again.Delay(++failures, spread());
                log.RenewalFailed((failure as RpcException)?.Detail ?? failure.Message, delay.TotalSeconds, own.Life.Ends);
                await WaitAsync(delay, stop);
            }
        }
    }

    /// <summary>Another certificate now, of the role that the state says.</summary>
    /// <exception cref="RpcException">No manager gives one.</exception>
    internal async Task RenewAsync(CancellationToken stop)
    {
        await _turn.WaitAsync(stop);
        try
        {
            using var request = SigningRequest.Create();
            var reply = await AskAsync(request, stop);
            Use(ClusterJoin.Take(reply, request, time.GetUtcNow()));
            log.Renewed(box.Current.Role, box.Current.Life.Ends);
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose() => _turn.Dispose();

    /// <summary>A manager that takes the call and never answers must not hold up this node's change of roles: it is asked again.</summary>
    private async Task<IssueReply> AskAsync(SigningRequest request, CancellationToken stop)
    {
        using var late = new CancellationTokenSource(Patience, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(late.Token, stop);
        try
        {
            return await managers.RenewAsync(new() { Csr = request.Der }, box.Current.Self, both.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new RpcException(RpcStatus.DeadlineExceeded, $"no manager answered within {Patience.TotalSeconds:0} seconds");
        }
    }

    private async Task TrustAsync(string rootsPem, CancellationToken stop)
    {
        await _turn.WaitAsync(stop);
        try
        {
            Use(box.Current.Trusting(rootsPem, time.GetUtcNow()));
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>On disk first: after a crash the node is one that it said it was.</summary>
    private void Use(NodeCredentials next)
    {
        file.Write(next);
        box.Replace(next);
        _news.TrySend(true);
    }

    private async Task WaitAsync(TimeSpan delay, CancellationToken stop)
    {
        if (delay <= TimeSpan.Zero)
            return;
        using var awake = new CancellationTokenSource(delay < Longest ? delay : Longest, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(awake.Token, stop);
        try
        {
            await _news.Reader.WaitToReadAsync(either.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return; // it is time
        }

        while (_news.Reader.TryRead(out _))
        {
            // one look answers all of them
        }
    }
}
