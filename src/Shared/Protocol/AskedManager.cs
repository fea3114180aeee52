using Orchestrator.Shared.Rpc;

namespace Orchestrator.Shared.Protocol;

/// <summary>One manager that was asked for the session; the one that gives it carries it.</summary>
internal sealed class AskedManager : IAsyncDisposable
{
    private readonly CancellationTokenSource ends;
    private readonly CancellationToken ended;

    internal AskedManager(ManagerPeer peer, DispatcherLink link, SessionRequest request, TimeSpan until, CancellationToken stop)
    {
        (Peer, Link, Until) = (peer, link, until);
        ends = CancellationTokenSource.CreateLinkedTokenSource(stop);
        ended = ends.Token;
        Messages = link.Dispatcher.SessionAsync(request, ended).GetAsyncEnumerator(ended);
        First = Messages.MoveNextAsync().AsTask();
    }

    internal ManagerPeer Peer { get; }
    internal DispatcherLink Link { get; }
    internal IAsyncEnumerator<Assignments> Messages { get; }
    internal Task<bool> First { get; }

    /// <summary>When its silence is taken for an answer.</summary>
    internal TimeSpan Until { get; }

    /// <summary>It kept silent: whatever its connection says, it is not to be trusted.</summary>
    internal bool IsDead { get; set; }

    /// <summary>A call beside the session; it ends with it, so that nothing waits for a manager that is gone.</summary>
    internal async Task<T> CallAsync<T>(Func<IDispatcher, CancellationToken, Task<T>> call, CancellationToken stop)
    {
        using var both = CancellationTokenSource.CreateLinkedTokenSource(stop, ended);
        try
        {
            return await call(Link.Dispatcher, both.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            throw new RpcException(RpcStatus.Unavailable, "the session ended before the call did");
        }
    }

    /// <summary>Null when the first message is there, else why not.</summary>
    internal async Task<RpcException?> EndAsync()
    {
        try
        {
            return await First ? null : new RpcException(RpcStatus.Unavailable, "it ended the session before it began");
        }
        catch (RpcException failure)
        {
            return failure;
        }
    }

    public async ValueTask DisposeAsync()
    {
        ends.Cancel();
        await ((Task)First).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        await Messages.DisposeAsync();
        ends.Dispose();
    }
}
