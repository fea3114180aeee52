using Orchestrator.Worker.Events;

namespace Orchestrator.Tests.Unit.Worker.Events;

public sealed class EngineEventsTests
{
    [Fact]
    public async Task A_watcher_sees_kept_events_then_new_ones_and_none_twice()
    {
        var events = new EngineEvents(TimeProvider.System);
        for (var i = 0; i < EngineEvents.Kept + 5; i++)
            events.Publish("container", "start", i.ToString(System.Globalization.CultureInfo.InvariantCulture), new Dictionary<string, string>());
        using var enough = new CancellationTokenSource();
        var watch = events.Watch(DateTimeOffset.UnixEpoch, enough.Token);
        events.Publish("container", "die", "last", new Dictionary<string, string> { ["image"] = "app" });
        var seen = new List<string>();
        await foreach (var message in watch)
        {
            seen.Add(message.Actor.Id);
            if (message.Action == "die")
            {
                Assert.Equal(("die", "app"), (message.Status, message.From));
                break;
            }
        }

        Assert.Equal(EngineEvents.Kept + 1, seen.Count);
        Assert.Equal("5", seen[0]);
        Assert.Equal(seen.Count, seen.Distinct().Count());
    }
}
