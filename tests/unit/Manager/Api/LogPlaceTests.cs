using Orchestrator.Manager.Api;
using Orchestrator.Shared.Protocol;

namespace Orchestrator.Tests.Unit.Manager.Api;

public sealed class LogPlaceTests
{
    private static LogRecord At(int second) => new() { Time = DateTimeOffset.UnixEpoch.AddSeconds(second), Stream = "stdout", Line = default };

    [Fact]
    public void A_log_is_taken_up_again_without_a_record_twice_or_left_out()
    {
        int[] log = [1, 2, 2, 2, 3, 3, 4];
        for (var cut = 0; cut <= log.Length; cut++)
        {
            for (var second = 0; second <= log.Length; second++)
            {
                var place = new LogPlace(new() { Follow = true, Tail = 100 });
                var got = new List<int>();
                foreach (var reads in new[] { cut, second, int.MaxValue })
                {
                    var query = place.Next();
                    Assert.True(query.Follow);
                    foreach (var at in log.Where(at => !(DateTimeOffset.UnixEpoch.AddSeconds(at) < query.Since)).Take(reads))
                    {
                        if (place.Passes(At(at)))
                            got.Add(at);
                    }
                }

                Assert.Equal(log, got);
            }
        }
    }

    [Fact]
    public void The_tail_is_asked_for_once()
    {
        var place = new LogPlace(new() { Tail = 5 });
        Assert.Equal(5, place.Next().Tail);
        Assert.Equal(5, place.Next().Tail); // nothing came yet
        Assert.True(place.Passes(At(7)));
        Assert.Equal((null, DateTimeOffset.UnixEpoch.AddSeconds(7)), (place.Next().Tail, place.Next().Since));
    }
}
