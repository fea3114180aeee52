using System.Runtime.CompilerServices;
using System.Threading.Channels;

namespace Orchestrator.Worker.Runtime.Shim;

/// <summary>Tells whoever watches now which container ran out of memory; who comes later learns it from the container's exit.</summary>
internal sealed class OomFeed
{
    private const int Most = 256;

    private readonly Lock gate = new();
    private readonly List<Channel<string>> watchers = [];

    internal void Publish(string id)
    {
        lock (gate)
        {
            foreach (var watcher in watchers)
                watcher.Writer.TryWrite(id);
        }
    }

    internal async IAsyncEnumerable<string> WatchAsync([EnumeratorCancellation] CancellationToken stop)
    {
        // A container that runs out of memory again and again must not fill ours with a slow watcher's news: the oldest go.
        var channel = Channel.CreateBounded<string>(new BoundedChannelOptions(Most) { SingleReader = true, FullMode = BoundedChannelFullMode.DropOldest });
        lock (gate)
            watchers.Add(channel);
        try
        {
            await foreach (var id in channel.Reader.ReadAllAsync(stop))
                yield return id;
        }
        finally
        {
            Forget(channel);
        }
    }

    private void Forget(Channel<string> channel)
    {
        lock (gate)
            watchers.Remove(channel);
    }
}
