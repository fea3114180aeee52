using Orchestrator.Shared.Http;
using Orchestrator.Shared.Model;

namespace Orchestrator.Worker.Api;

/// <summary><c>GET /events</c>: what happens on this engine and, where it is a manager, in the cluster.</summary>
internal sealed class EventApi(EngineParts parts)
{
    internal void Map(ApiRouter router) => router.Map("GET", "/events", WatchAsync);

    private async Task WatchAsync(ApiRequest request)
    {
        var now = parts.Time.GetUtcNow();
        var since = request.Moment("since", now);
        var until = request.Moment("until", now);
        if (since > until)
            throw new ApiException(400, $"since ({since:O}) cannot be after until ({until:O})");
        var filter = new EventFilter(request.Filters(EventFilter.Known));
        if (until <= now)
        {
            var past = await request.LinesAsync();
            foreach (var message in parts.Events.Past(since ?? DateTimeOffset.UnixEpoch))
            {
                if (message.TimeNano <= ApiTimes.UnixNanoseconds(until.Value) && filter.Wants(message))
                    await past.WriteAsync(message, request.Stop);
            }

            return;
        }

        using var end = until is { } last ? new CancellationTokenSource(last - now, parts.Time) : new CancellationTokenSource();
        using var both = CancellationTokenSource.CreateLinkedTokenSource(end.Token, request.Stop);
        var events = parts.Events.Watch(since, both.Token); // begins here, before the client is told that it began
        var lines = await request.LinesAsync();
        try
        {
            await foreach (EventMessage message in events)
            {
                if (filter.Wants(message))
                    await lines.WriteAsync(message, request.Stop);
            }
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested && !request.Stop.IsCancellationRequested)
        {
            // The moment named by 'until' has come.
        }
    }
}
