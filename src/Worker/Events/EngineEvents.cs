using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Orchestrator.Shared.Model;

namespace Orchestrator.Worker.Events;

/// <summary>What happened on this engine: the last events for <c>since</c>, and every new one for who watches.</summary>
internal sealed class EngineEvents(TimeProvider time)
{
    /// <summary>How many past events are kept, as Docker keeps.</summary>
    internal const int Kept = 256;

    // A watcher this far behind loses the oldest: a slow client must not hold the engine's memory.
    private const int WatcherCapacity = 4096;

    private readonly Lock guard = new();
    private readonly Queue<EventMessage> past = new(Kept);
    private ImmutableArray<Channel<EventMessage>> watchers = [];
    private long lastNano;

    /// <summary>Records an event of this host and shows it to all watchers. Never blocks.</summary>
    internal void Publish(string type, string action, string actorId, IReadOnlyDictionary<string, string> attributes)
    {
        var message = new EventMessage
        {
            Type = type,
            Action = action,
            Actor = new EventActor { Id = actorId, Attributes = attributes },
        };
        if (type == "container")
        {
            message = message with
            {
                Status = action,
                LegacyId = actorId,
                From = attributes.TryGetValue("image", out var image) ? image : null,
            };
        }

        Publish(message);
    }

    /// <summary>Records an event made elsewhere (scope <c>swarm</c>); its time is set when it has none.</summary>
    internal void Publish(EventMessage message)
    {
        lock (guard)
        {
            if (message.TimeNano == 0)
            {
                var now = time.GetUtcNow();
                // Strictly growing, so that a reader may go on from the last time it saw.
                lastNano = Math.Max(lastNano + 1, (now - DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick);
                message = message with { Time = lastNano / 1_000_000_000, TimeNano = lastNano };
            }

            if (past.Count == Kept)
                past.Dequeue();
            past.Enqueue(message);
            foreach (var watcher in watchers)
                watcher.Writer.TryWrite(message);
        }
    }

    /// <summary>The events that are kept and happened at <paramref name="since"/> or later.</summary>
    internal IReadOnlyList<EventMessage> Past(DateTimeOffset since)
    {
        lock (guard)
            return PastLocked(since);
    }

    /// <summary>Yields the kept events from <paramref name="since"/> on (none when null), then every new one until cancelled. None is missed or seen twice.</summary>
    /// <remarks>The watch begins when this is called, not when it is first read.</remarks>
    internal IAsyncEnumerable<EventMessage> Watch(DateTimeOffset? since, CancellationToken stop)
    {
        var watcher = Channel.CreateBounded<EventMessage>(
            new BoundedChannelOptions(WatcherCapacity) { SingleReader = true, FullMode = BoundedChannelFullMode.DropOldest });
        IReadOnlyList<EventMessage> before;
        lock (guard)
        {
            before = since is { } from ? PastLocked(from) : [];
            watchers = watchers.Add(watcher);
        }

        // Also when nobody ever reads.
        stop.UnsafeRegister(_ => Forget(watcher), null);
        return ReadAsync(watcher, before, stop);
    }

    private void Forget(Channel<EventMessage> watcher)
    {
        lock (guard)
            watchers = watchers.Remove(watcher);
    }

    private async IAsyncEnumerable<EventMessage> ReadAsync(
        Channel<EventMessage> watcher, IReadOnlyList<EventMessage> before, [EnumeratorCancellation] CancellationToken stop)
    {
        try
        {
            foreach (var message in before)
                yield return message;
            await foreach (var message in watcher.Reader.ReadAllAsync(stop))
                yield return message;
        }
        finally
        {
            Forget(watcher);
        }
    }

    private List<EventMessage> PastLocked(DateTimeOffset since)
    {
        var nano = (since - DateTimeOffset.UnixEpoch).Ticks * TimeSpan.NanosecondsPerTick;
        return [.. past.Where(m => m.TimeNano >= nano)];
    }
}
