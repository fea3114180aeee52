using System.Threading.Channels;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>Tells every watcher of every exit: those that happened before it came first, none twice and none missed.</summary>
internal sealed class ExitFeed
{
    private readonly Lock gate = new();
    private readonly List<Channel<ContainerExit>> watchers = [];
    private Exception? failure;

    internal void Publish(Container container, ContainerExit exit)
    {
        lock (gate)
        {
            container.SetExit(exit);
            foreach (var watcher in watchers)
                watcher.Writer.TryWrite(exit); // unbounded: as many as there are containers
        }
    }

    /// <summary>No exit will be seen any more: everybody who watches gets the reason.</summary>
    internal void Fail(Exception reason)
    {
        lock (gate)
        {
            failure = reason;
            foreach (var watcher in watchers)
                watcher.Writer.TryComplete(reason);
        }
    }

    internal async IAsyncEnumerable<ContainerExit> WatchAsync(
        Func<IEnumerable<Container>> containers, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stop)
    {
        var channel = Channel.CreateUnbounded<ContainerExit>(new UnboundedChannelOptions { SingleReader = true });
        lock (gate)
        {
            foreach (var exit in containers().Select(c => c.Exit).OfType<ContainerExit>().OrderBy(e => e.ExitedAt))
                channel.Writer.TryWrite(exit);
            watchers.Add(channel);
            if (failure is not null)
                channel.Writer.TryComplete(failure);
        }
        try
        {
            await foreach (var exit in channel.Reader.ReadAllAsync(stop))
                yield return exit;
        }
        finally
        {
            Forget(channel);
        }
    }

    private void Forget(Channel<ContainerExit> channel)
    {
        lock (gate)
            watchers.Remove(channel);
    }
}
