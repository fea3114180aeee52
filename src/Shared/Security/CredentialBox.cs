namespace Orchestrator.Shared.Security;

/// <summary>The holder from which every handshake reads the node's credentials. One writer, any number of readers.</summary>
public sealed class CredentialBox(NodeCredentials first)
{
    private readonly Lock guard = new();
    private readonly List<TaskCompletionSource> waiters = [];
    private volatile NodeCredentials current = first;

    public NodeCredentials Current => current;

    /// <summary>From now on handshakes use these; connections that stand are left alone.</summary>
    public void Replace(NodeCredentials next)
    {
        lock (guard)
        {
            current = next;
            foreach (var waiter in waiters)
                waiter.TrySetResult();
            waiters.Clear();
        }
    }

    /// <summary>Completes with other credentials than those seen: at once if there are.</summary>
    public async Task<NodeCredentials> ChangedAsync(NodeCredentials seen, CancellationToken stop)
    {
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (guard)
            {
                if (!ReferenceEquals(current, seen))
                    return current;
                waiters.Add(waiter);
            }

            using (stop.UnsafeRegister(static (w, token) => ((TaskCompletionSource)w!).TrySetCanceled(token), waiter))
            {
                try
                {
                    await waiter.Task;
                }
                catch (OperationCanceledException)
                {
                    Forget(waiter);
                    throw;
                }
            }
        }
    }

    private void Forget(TaskCompletionSource waiter)
    {
        lock (guard)
            waiters.Remove(waiter);
    }
}
