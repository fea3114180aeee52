using System.Threading.Channels;
using Orchestrator.Worker.Linux;

namespace Orchestrator.Worker.Containers.Logs;

/// <summary>Wakes who follows a log when its directory changes: one inotify instance and one thread for all followers of the host.</summary>
internal sealed class LogWatch : IDisposable
{
    private readonly Inotify inotify = new();
    private readonly Lock guard = new();
    private readonly Dictionary<int, List<Channel<bool>>> followers = [];
    private Thread? reader;
    private int selfWatch = -1;
    private bool closing;

    /// <summary>Begins to watch; the reader of the channel gets one token for any number of changes since its last.</summary>
    internal LogSubscription Subscribe(string directory)
    {
        var signal = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        lock (guard)
        {
            ObjectDisposedException.ThrowIf(closing, this);
            if (reader is null)
            {
                reader = new Thread(Dispatch) { IsBackground = true, Name = "log-watch" };
                reader.Start();
            }

            var watch = inotify.WatchDirectory(directory);
            if (!followers.TryGetValue(watch, out var list))
                followers[watch] = list = [];
            list.Add(signal);
            return new LogSubscription(signal.Reader, () => Unsubscribe(watch, signal));
        }
    }

    public void Dispose()
    {
        Thread? running;
        lock (guard)
        {
            closing = true;
            running = reader;
            // A watch made and ended at once gives the blocked reader an event to wake up by.
            if (running is not null)
            {
                selfWatch = inotify.WatchDirectory("/");
                inotify.Unwatch(selfWatch);
            }
        }

        running?.Join();
        inotify.Dispose();
    }

    private void Unsubscribe(int watch, Channel<bool> signal)
    {
        lock (guard)
        {
            if (!followers.TryGetValue(watch, out var list) || !list.Remove(signal) || list.Count > 0)
                return;
            followers.Remove(watch);
            if (!closing)
                inotify.Unwatch(watch);
        }
    }

    private void Dispatch()
    {
        var buffer = new byte[64 << 10];
        var changed = new List<int>();
        while (inotify.Read(buffer, changed))
        {
            lock (guard)
            {
                if (closing)
                    return;
                foreach (var watch in changed)
                {
                    // -1 is an overflow of the kernel's queue: everybody looks.
                    foreach (var list in watch == -1 ? followers.Values : followers.TryGetValue(watch, out var one) ? [one] : (IEnumerable<List<Channel<bool>>>)[])
                    {
                        foreach (var signal in list)
                            signal.Writer.TryWrite(true);
                    }
                }
            }
        }
    }
}

/// <summary>One follower's place in a <see cref="LogWatch"/>.</summary>
internal sealed class LogSubscription(ChannelReader<bool> changed, Action end) : IDisposable
{
    internal ChannelReader<bool> Changed { get; } = changed;

    public void Dispose() => end();
}
