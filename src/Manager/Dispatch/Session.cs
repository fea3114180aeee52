using Orchestrator.Manager.State;

namespace Orchestrator.Manager.Dispatch;

/// <summary>One agent's open stream: it ends with its caller, with the leader's term, or when it is replaced or late.</summary>
internal sealed class Session(string id, CancellationTokenSource end) : IDisposable
{
    private readonly Lock guard = new();
    private bool disposed;

    internal string Id { get; } = id;

    internal CancellationToken Ended { get; } = end.Token;

    internal void End()
    {
        lock (guard)
        {
            if (!disposed)
                end.Cancel();
        }
    }

    /// <summary>Waits for a newer state. False when the session is over; a caller that left is told by its own exception.</summary>
    internal async Task<bool> NewerAsync(Cluster cluster, ClusterState seen, CancellationToken caller)
    {
        try
        {
            await cluster.NewerThanAsync(seen, StateParts.Members | StateParts.Work, Ended); // payloads follow the tasks that name them
            return true;
        }
        catch (OperationCanceledException) when (!caller.IsCancellationRequested)
        {
            return false;
        }
    }

    public void Dispose()
    {
        lock (guard)
        {
            disposed = true;
            end.Dispose();
        }
    }
}
